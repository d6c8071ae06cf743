import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { adopt, attach, createHarness, existing, type TestDatabase } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { everything } from '../support/postgres-oracle.ts'
import { describeVariant } from '../support/variant-server.ts'
import { contract } from './contract.ts'
import { onServer } from './targets.ts'

const SMALL = [
  ...[
    'vector',
    'hstore',
    'ltree',
    'citext',
    'pg_trgm',
    'intarray',
    'cube',
    'seg',
    'isn',
    'lo',
    'btree_gist',
    'btree_gin',
  ],
  ...[
    'bloom',
    'earthdistance',
    'pgcrypto',
    '"uuid-ossp"',
    'unaccent',
    'tcn',
    'pg_partman',
    'pg_stat_statements',
  ],
]
/**
 * Each clone of a template with these takes seconds: thousands of rows, and a background worker that starts.
 */
const LARGE = ['postgis', 'timescaledb']

const create = (names: readonly string[]) => names.map((name) => `CREATE EXTENSION ${name};`).join('\n')

const SCHEMA = `${create([...SMALL, ...LARGE])}
CREATE TABLE places (id serial PRIMARY KEY, at geometry(Point, 4326), near geography, box cube, tags hstore DEFAULT '', path ltree,
  email citext UNIQUE, meaning vector(3), halves halfvec(2), ids int[], size seg, book isbn, photo lo, name text);
CREATE INDEX ON places USING gist (at); CREATE INDEX ON places USING hnsw (meaning vector_l2_ops);
CREATE INDEX ON places USING gin (tags); CREATE INDEX ON places USING gist (path); CREATE INDEX ON places USING gin (name gin_trgm_ops);
CREATE INDEX ON places USING gin (ids gin__int_ops); CREATE INDEX ON places USING bloom (id, name); CREATE INDEX ON places USING gist (box);
CREATE TRIGGER photo BEFORE UPDATE OR DELETE ON places FOR EACH ROW EXECUTE FUNCTION lo_manage(photo);
CREATE TRIGGER told AFTER INSERT OR UPDATE OR DELETE ON places FOR EACH ROW EXECUTE FUNCTION triggered_change_notification();
CREATE TABLE stays (place int REFERENCES places, during tstzrange, EXCLUDE USING gist (place WITH =, during WITH &&));
INSERT INTO places (at, near, box, tags, path, email, meaning, halves, ids, size, book, name)
  SELECT ST_SetSRID(ST_MakePoint(n, n), 4326), ST_MakePoint(n, n)::geography, cube(n, n + 1), hstore('n', n::text), ('a.b' || n)::ltree,
    'Person' || n || '@example.org', ARRAY[n, 1, 2.5]::vector, '[1,2]', ARRAY[n, n + 1], '1.5 .. 2.5', '978-0-11-000533-1', 'place ' || n
  FROM generate_series(1, 20) AS n;
CREATE TABLE events (at timestamptz NOT NULL, n int); SELECT create_hypertable('events', 'at');
INSERT INTO events VALUES ('2026-01-01', 1), ('2026-03-01', 2);
CREATE TABLE readings (at int NOT NULL, n int) PARTITION BY RANGE (at);
SELECT create_parent('public.readings', 'at', '10', p_start_partition := '0');
INSERT INTO readings VALUES (1, 1), (11, 2)`

const WRITES = [
  `INSERT INTO places (at, email, meaning) VALUES (ST_SetSRID(ST_MakePoint(1, 2), 4326), 'new@example.org', '[1,2,3]')`,
  `UPDATE places SET email = upper(email::text)::citext, tags = tags || 'a=>1', meaning = '[9,9,9]', path = path || 'c', size = '1.50 .. 2.5'`,
  `UPDATE places SET at = ST_Translate(at, 1, 1), near = 'POINT(7 7)', ids = ids + 5, photo = lo_create(0) WHERE id < 9`,
  `DELETE FROM places WHERE id > 5; INSERT INTO stays VALUES (1, '[2026-01-01, 2026-01-02)')`,
  `INSERT INTO events VALUES ('2026-01-02', 3); UPDATE events SET n = 7; DELETE FROM events WHERE at < '2026-02-01'`,
  `INSERT INTO readings VALUES (2, 2), (12, 2), (1000, 2); DELETE FROM readings WHERE n = 1`,
  `UPDATE part_config SET retention = '100', premake = 9`,
  `INSERT INTO spatial_ref_sys (srid, auth_name) VALUES (990001, 'me')`,
]

await describeVariant('postgres:18-extensions', (server) => {
  contract(onServer(server, { before: create(SMALL) }))

  let schema = ''
  beforeAll(() => {
    schema = join(mkdtempSync(join(tmpdir(), 'afresh-extensions-')), 'schema.sql')
    writeFileSync(schema, SCHEMA)
  })
  afterAll(() => rmSync(dirname(schema), { recursive: true }))

  async function afterEach(database: TestDatabase, url: string, writes: readonly string[]): Promise<void> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      const before = await everything(client)
      for (const sql of writes) {
        await client.query(sql)
        expect((await database.reset()).recreated, sql).toBe(false)
        expect(await everything(client), sql).toEqual(before)
        expect(await database.verify(), sql).toEqual([])
      }
    } finally {
      await client.end()
    }
  }

  it.each(['auto', 'truncate'] as const)(
    'restores types, indexes and partitions of extensions with strategy %s',
    async (strategy) => {
      await using harness = await createHarness({
        server: existing(server.url),
        project: 'types',
        migrate: schema,
        strategy,
      })
      await using database = await harness.lease()
      await afterEach(database, database.url, WRITES)
      await ask({ ...server, url: database.url }, `INSERT INTO events VALUES ('2026-07-01', 1)`)
      const { recreated, notes } = await database.reset()
      expect({ recreated, notes }).toEqual({
        recreated: false,
        notes: [expect.stringMatching(/A test made .*chunk/)],
      })
      expect(await ask({ ...server, url: database.url }, 'SELECT n FROM events ORDER BY at')).toEqual([
        { n: 1 },
        { n: 2 },
      ])
    },
  )

  it('restores the jobs of pg_cron', async () => {
    await ask(server, 'CREATE DATABASE cron_home')
    const home = { ...server, url: server.url.replace(/\/[^/]*$/, '/cron_home') }
    await ask(home, `CREATE EXTENSION pg_cron; SELECT cron.schedule('kept', '0 3 1 1 *', 'SELECT 1')`)
    await adopt(home.url, { confirm: async ({ confirmation }) => confirmation })
    await using database = await attach(home.url)
    await afterEach(database, home.url, [
      `SELECT cron.schedule('left', '0 4 1 1 *', 'SELECT 2')`,
      `SELECT cron.unschedule('kept')`,
      `SELECT cron.alter_job(jobid, active := false) FROM cron.job`,
    ])
  })
})
