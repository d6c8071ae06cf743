import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask } from '../support/ask.ts'
import { describeOn } from '../support/servers.ts'
import { type FixtureTarget, onPglite, onServer } from './fixture-targets.ts'

/** What only PostgreSQL has. */
function ofPostgres(target: FixtureTarget): void {
  it('writes lists to arrays of every kind, and JSON to JSON columns', async () => {
    await using opened = await target.open({
      schema: `CREATE DOMAIN tags AS text[];
        CREATE TABLE t (id int, words text[], more tags, matrix int[][], docs jsonb[], raw bytea[], doc json, span int4range)`,
      fixtures: {
        't.json': `[{"id": 1, "words": ["a,b", "\\"q\\"", "back\\\\slash", "", null, "NULL", "{}"], "more": ["x"], "matrix": [[1, 2], [3, 4]],
          "docs": [{"a": [1]}, [2]], "raw": [], "doc": [1, {"n": 12345678901234567890.5}], "span": "[1,5)"}]`,
        'more.yaml': 't: [{ id: 2, raw: [!!binary AAE=], doc: "\\"text\\"" }]',
        't.csv': 'id,words,doc\n3,"{a,""b c""}",true\n',
      },
    })
    const rows = await opened.rows(
      `SELECT to_json(words)::text AS words, more::text, matrix::text, to_json(docs)::text AS docs, raw::text, doc::text, span::text FROM t ORDER BY id`,
    )
    expect(rows).toEqual([
      [
        JSON.stringify(['a,b', '"q"', 'back\\slash', '', null, 'NULL', '{}']),
        '{x}',
        '{{1,2},{3,4}}',
        '[{"a": [1]},[2]]',
        '{}',
        '[1,{"n":12345678901234567890.5}]',
        '[1,5)',
      ],
      [null, null, null, null, '{"\\\\x0001"}', '"text"', null],
      ['["a","b c"]', null, null, null, null, 'true', null],
    ])
  })

  it('takes ids for GENERATED ALWAYS AS IDENTITY, and moves sequences of all kinds only forward', async () => {
    await using opened = await target.open({
      schema: `CREATE TABLE always (id int GENERATED ALWAYS AS IDENTITY, parent int);
        CREATE TABLE old (id serial, name text); SELECT setval('old_id_seq', 100);
        CREATE SEQUENCE down INCREMENT -1; CREATE TABLE falling (id bigint DEFAULT nextval('down')); ALTER SEQUENCE down OWNED BY falling.id;
        CREATE TABLE "Odd ""name""" ("Id" smallserial, x int)`,
      fixtures: {
        'always.csv': 'id\n10\n',
        'old.csv': 'id\n50\n',
        'falling.csv': 'id\n-7\n',
        'rest.json': '{"Odd \\"name\\"": [{"id": 5}, {"x": 1}, {"Id": 32767}]}',
      },
    })
    await opened.run(
      `INSERT INTO always DEFAULT VALUES; INSERT INTO old DEFAULT VALUES; INSERT INTO falling DEFAULT VALUES`,
    )
    expect(
      await opened.rows(
        'SELECT max(always.id) AS a, max(old.id) AS o, min(falling.id) AS f FROM always, old, falling',
      ),
    ).toEqual([['11', '101', '-8']])
    expect(await opened.rows('SELECT "Id" FROM "Odd ""name""" ORDER BY 1')).toEqual([['1'], ['5'], ['32767']])
  })

  it('reads times in UTC and days in ISO, whatever the settings of the database', async () => {
    await using opened = await target.open({
      schema: `CREATE TABLE t (at timestamptz, day date); CREATE TABLE seen (zone text, path text);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          INSERT INTO seen VALUES (current_setting('TimeZone'), current_setting('search_path')); RETURN NULL; END $$;
        CREATE TRIGGER note AFTER INSERT ON t EXECUTE FUNCTION note();
        DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''Asia/Tokyo''', current_database()); END $$`,
      fixtures: {
        't.yaml': '[{ at: 2024-02-29 12:00:00, day: 2024-03-04 }, { at: 2024-02-29T12:00:00+05:30 }]',
      },
    })
    expect(
      await opened.rows(`SELECT (at AT TIME ZONE 'UTC')::text, day::text FROM t ORDER BY 1 DESC`),
    ).toEqual([
      ['2024-02-29 12:00:00', '2024-03-04'],
      ['2024-02-29 06:30:00', null],
    ])
    // A trigger finds the tables of the user by their names.
    const [[zone, path] = []] = await opened.rows('SELECT * FROM seen')
    expect(zone).toBe('UTC')
    expect(path).toContain('public')
  })

  it('names the line in a cycle of tables, where rows go in by one statement', async () => {
    const opening = target.open({
      schema: `CREATE TABLE a (id int PRIMARY KEY, b int NOT NULL); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
        ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b`,
      fixtures: { 'a.csv': 'id,b\n1,1\n2,9\n', 'b.csv': 'id,a\n1,1\n' },
    })
    await expect(opening).rejects.toThrow(/a\.csv:3, table a, column b: .*violates foreign key/)
  })

  it('keeps the rows of a partitioned table where its bounds say, and of a name with its schema', async () => {
    await using opened = await target.open({
      schema: `CREATE SCHEMA IF NOT EXISTS shop; DROP TABLE IF EXISTS shop.orders;
        CREATE TABLE orders (id int, kind text) PARTITION BY LIST (kind);
        CREATE TABLE orders_a PARTITION OF orders FOR VALUES IN ('a'); CREATE TABLE orders_rest PARTITION OF orders DEFAULT;
        CREATE TABLE shop.orders (id int)`,
      fixtures: { 'orders.csv': 'id,kind\n1,a\n2,b\n', 'shop.orders.csv': 'id\n3\n' },
    })
    expect(
      await opened.rows(
        'SELECT (SELECT id FROM orders_a) AS a, (SELECT id FROM orders_rest) AS rest, (SELECT id FROM shop.orders) AS shop',
      ),
    ).toEqual([['1', '2', '3']])
  })
}

for (const id of ['embedded:18', 'postgres:18', 'postgres:15'] as const)
  describeOn(id, (server) => {
    ofPostgres(onServer(server))

    it('fails for a lock that another session holds, and names the reason', async () => {
      await using opened = await onServer(server).open({
        schema: 'CREATE TABLE t (id int PRIMARY KEY)',
        more: { 't.csv': 'id\n1\n' },
      })
      const { url } = opened.database
      const blocking = ask(
        { ...server, url },
        'BEGIN; INSERT INTO t VALUES (1); SELECT pg_sleep(8); ROLLBACK',
      )
      await expect
        .poll(
          async () =>
            (await ask({ ...server, url }, `SELECT FROM pg_locks WHERE relation = 't'::regclass`)).length,
        )
        .toBeGreaterThan(0)
      await expect(opened.database.load('more')).rejects.toMatchObject({ code: 'blocked' })
      await blocking
    })
  })

describe('pglite', () => {
  let instance: PGlite
  beforeAll(async () => {
    instance = await PGlite.create()
  })
  afterAll(() => instance.close())
  ofPostgres(onPglite(() => instance))
})
