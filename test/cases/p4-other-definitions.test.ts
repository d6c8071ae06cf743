import { describe, expect, it } from 'vitest'
import { ask } from '../support/ask.ts'
import { describeOn } from '../support/servers.ts'
import { inWay, POSTGRES_WAYS, type Run, withLease } from './support.ts'

const SCHEMA = `
  CREATE TYPE mood AS ENUM ('sad', 'glad');
  CREATE TYPE pair AS (a int, b int);
  CREATE TABLE swapped (id int PRIMARY KEY, x int, y int, m mood, p pair);
  INSERT INTO swapped VALUES (1, 10, 20, 'sad', (1, 2)), (2, 30, 40, 'glad', (3, 4));
  CREATE TABLE parent (id int, v int); CREATE TABLE child () INHERITS (parent);
  INSERT INTO child VALUES (1, 5);
  CREATE TABLE parted (id int, v int) PARTITION BY LIST (id);
  CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
  INSERT INTO parted VALUES (1, 7);
  CREATE FUNCTION plus(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2';
  CREATE AGGREGATE total (int) (SFUNC = plus, STYPE = int, INITCOND = '0');
  CREATE INDEX by_x ON swapped (x);
  CREATE SEQUENCE free;
  CREATE UNIQUE INDEX one_y ON swapped (y); CREATE UNIQUE INDEX one_id ON swapped (id);
  ALTER TABLE swapped ALTER COLUMN y SET NOT NULL;
  ALTER TABLE swapped REPLICA IDENTITY USING INDEX one_id;
  CREATE VIEW seen AS SELECT id FROM swapped; CREATE MATERIALIZED VIEW kept AS SELECT count(*) FROM swapped;
  SELECT lo_from_bytea(77001, 'abc');
  COMMENT ON TABLE swapped IS 'as it was';`

const inDatabase = (action: string) =>
  `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I ${action}', current_database()); END $$`

/** What a test does, its SQL, and the note that the reset must contain. */
const CHANGES: readonly (readonly [name: string, sql: string, object: RegExp])[] = [
  [
    'drops a column and adds it again',
    'ALTER TABLE swapped DROP COLUMN y; ALTER TABLE swapped ADD COLUMN y int',
    /column public\.swapped\.y /,
  ],
  [
    'exchanges two columns',
    'ALTER TABLE swapped RENAME x TO z; ALTER TABLE swapped RENAME y TO x; ALTER TABLE swapped RENAME z TO y',
    /column public\.swapped\.x /,
  ],
  [
    'adds a column of a parent again',
    'ALTER TABLE parent DROP COLUMN v; ALTER TABLE parent ADD COLUMN v int',
    /column public\.(parent|child)\.v /,
  ],
  [
    'adds a column of a partitioned table again',
    'ALTER TABLE parted DROP COLUMN v; ALTER TABLE parted ADD COLUMN v int',
    /column public\.parted(_1)?\.v /,
  ],
  [
    'exchanges two attributes of a type',
    'ALTER TYPE pair RENAME ATTRIBUTE a TO c; ALTER TYPE pair RENAME ATTRIBUTE b TO a; ALTER TYPE pair RENAME ATTRIBUTE c TO b',
    /column public\.pair\.a /,
  ],
  [
    'makes an enum and its column again',
    `ALTER TABLE swapped DROP COLUMN m; DROP TYPE mood; CREATE TYPE mood AS ENUM ('sad', 'glad'); ALTER TABLE swapped ADD COLUMN m mood`,
    /column public\.swapped\.m /,
  ],
  [
    'replaces an aggregate',
    `CREATE OR REPLACE AGGREGATE total (int) (SFUNC = plus, STYPE = int, INITCOND = '100')`,
    /function public\.total\(integer\)/,
  ],
  ['comments on a table', `COMMENT ON TABLE swapped IS 'as it is'`, /comment on table .*swapped/],
  ['comments on a column', `COMMENT ON COLUMN swapped.x IS 'new'`, /comment on column .* is new/],
  ['comments on a function', `COMMENT ON FUNCTION plus(int, int) IS 'new'`, /comment on function .*plus/],
  ['stores a column otherwise', 'ALTER TABLE swapped ALTER COLUMN p SET STORAGE PLAIN', /swapped\.p /],
  ['gathers other statistics', 'ALTER TABLE swapped ALTER COLUMN x SET STATISTICS 5', /swapped\.x /],
  ['sets options of a column', 'ALTER TABLE swapped ALTER COLUMN x SET (n_distinct = 7)', /swapped\.x /],
  [
    'identifies rows by another index',
    'ALTER TABLE swapped REPLICA IDENTITY USING INDEX one_y',
    /index one_(y|id) of .*replica identity/,
  ],
  [
    'ends an inheritance and begins it again',
    'ALTER TABLE child NO INHERIT parent; ALTER TABLE child INHERIT parent',
    /column public\.child\.id /,
  ],
  ['grants on a column of a view', 'GRANT SELECT (id) ON seen TO pg_monitor', /column public\.seen\.id /],
  [
    'grants on a column of a materialized view',
    'GRANT SELECT (count) ON kept TO pg_monitor',
    /column public\.kept\.count /,
  ],
  ['grants on a large object', 'GRANT SELECT ON LARGE OBJECT 77001 TO pg_monitor', /large object 77001/],
  ['comments on a large object', `COMMENT ON LARGE OBJECT 77001 IS 'new'`, /comment on large object 77001/],
  ['limits connections', inDatabase('CONNECTION LIMIT 77'), /database /],
  ['makes the database a template', inDatabase('IS_TEMPLATE true'), /database /],
  [
    'grants on the database',
    `DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO pg_monitor', current_database()); END $$`,
    /database /,
  ],
]

/** What only a superuser may do. */
const OF_SUPERUSERS: typeof CHANGES = [
  ['gives a function away', 'ALTER FUNCTION plus(int, int) OWNER TO pg_monitor', /function public\.plus/],
  ['gives a sequence away', 'ALTER SEQUENCE free OWNER TO pg_monitor', /sequence public\.free/],
  ['gives a type away', 'ALTER TYPE mood OWNER TO pg_monitor', /type public\.mood/],
  [
    'replaces a function of an extension',
    `CREATE OR REPLACE FUNCTION citext_eq(citext, citext) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'`,
    /function public\.citext_eq/,
  ],
  ['comments on an extension', `COMMENT ON EXTENSION citext IS 'new'`, /comment on extension citext/],
  ['gives a publication away', 'ALTER PUBLICATION told OWNER TO pg_monitor', /publication told/],
  ['comments on a publication', `COMMENT ON PUBLICATION told IS 'new'`, /comment on publication told/],
  ['moves an extension', 'CREATE SCHEMA apart; ALTER EXTENSION citext SET SCHEMA apart', /extension citext/],
  ['revokes a language', 'REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC', /language plpgsql/],
  [
    'gives an operator family away',
    'ALTER OPERATOR FAMILY citext_ops USING btree OWNER TO pg_monitor',
    /operator family/,
  ],
  [
    'maps a user otherwise',
    `ALTER USER MAPPING FOR PUBLIC SERVER far OPTIONS (SET user 'somebody')`,
    /user mapping for public on far/,
  ],
  [
    'changes options of a foreign table',
    `ALTER FOREIGN TABLE away OPTIONS (SET table_name 'other')`,
    /table public\.away/,
  ],
]

const WITH_EXTENSIONS = `${SCHEMA}
  CREATE PUBLICATION told FOR TABLE parent;
  CREATE EXTENSION citext; CREATE EXTENSION postgres_fdw;
  CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1');
  CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (user 'nobody');
  CREATE FOREIGN TABLE away (id int) SERVER far OPTIONS (table_name 'away');`

async function expectRestored(run: Run, name: string): Promise<void> {
  expect(await run('SELECT id, x, y, m::text, (p).a, (p).b FROM swapped ORDER BY id'), name).toEqual([
    { id: 1, x: 10, y: 20, m: 'sad', a: 1, b: 2 },
    { id: 2, x: 30, y: 40, m: 'glad', a: 3, b: 4 },
  ])
  expect(await run('SELECT v FROM parent UNION ALL SELECT v FROM parted ORDER BY v'), name).toEqual([
    { v: 5 },
    { v: 7 },
  ])
  const [row] = await run(
    `SELECT total(id) AS total, obj_description('swapped'::regclass) AS comment, d.datallowconn, d.datconnlimit, d.datistemplate
     FROM swapped, pg_database d WHERE d.datname = current_database() GROUP BY 2, 3, 4, 5`,
  )
  expect(row, name).toEqual({
    total: 3,
    comment: 'as it was',
    datallowconn: true,
    datconnlimit: -1,
    datistemplate: false,
  })
}

describeOn('postgres:18', (bare) => {
  describe.each(POSTGRES_WAYS)('as a %s', (way) => {
    const isPlain = way === 'plain role'
    it('recreates the database after changes that no value shows', async () => {
      const { server, options } = await inWay(bare, way)
      const changes = isPlain ? CHANGES : [...CHANGES, ...OF_SUPERUSERS]
      await withLease(server, isPlain ? SCHEMA : WITH_EXTENSIONS, options, async (database, run) => {
        await expectRestored(run, 'at first')
        for (const [name, sql, object] of changes) {
          await run(sql)
          const { notes } = await database.reset()
          expect(notes, name).toEqual([expect.stringMatching(/recreated from its template/)])
          expect(notes[0], name).toMatch(object)
          await expectRestored(run, name)
          expect(await database.verify(), name).toEqual([])
          expect((await database.reset()).notes, name).toEqual([])
        }
      })
    })

    it('recreates a database to which a test lets nobody connect', async () => {
      const { server, options } = await inWay(bare, way)
      await withLease(server, SCHEMA, options, async (database, run) => {
        await ask(server, `ALTER DATABASE "${database.name}" ALLOW_CONNECTIONS false`)
        const { notes } = await database.reset()
        expect(notes).toEqual([expect.stringMatching(/database .*recreated from its template/s)])
        await expectRestored(run, 'afterwards')
      })
    })

    it('leaves alone what is new with its comment', async () => {
      const { server, options } = await inWay(bare, way)
      await withLease(server, SCHEMA, options, async (database, run) => {
        await run(
          `CREATE FUNCTION new() RETURNS int LANGUAGE sql AS 'SELECT 1'; COMMENT ON FUNCTION new() IS 'new'`,
        )
        const { notes, recreated } = await database.reset()
        expect([notes, recreated ?? false]).toEqual([[], false])
      })
    })
  })
})
