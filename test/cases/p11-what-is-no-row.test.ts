import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { attach, type TestDatabase } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'
import { adoptHere, inWay, POSTGRES_WAYS, type Run, withAttached, withLease } from './support.ts'

const OBJECTS = `SELECT lo_from_bytea(50000, 'abc'); SELECT lo_from_bytea(50001, pg_catalog.repeat('x', 10000)::bytea);
  SELECT lo_from_bytea(50002, ''); CREATE TABLE t (id int PRIMARY KEY)`
const CONTENTS = `SELECT string_agg(m.oid || ':' || md5(lo_get(m.oid)), ' ' ORDER BY m.oid) AS is FROM pg_largeobject_metadata AS m`
const OBJECT_WRITES = [
  "SELECT lo_put(50000, 0, 'zzz')",
  "SELECT lo_put(50001, 4000, 'zzz'); INSERT INTO t VALUES (1)",
  "SELECT lo_put(50002, 9000, 'zzz')",
  'SELECT lo_truncate(lo_open(50001, 131072), 10)',
  'SELECT lo_unlink(50000)',
  "SELECT lo_unlink(50000); SELECT lo_from_bytea(50000, 'other')",
  "SELECT lo_from_bytea(50009, 'new')",
]

const NAMED = `CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION f(text) RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE SCHEMA other; CREATE TABLE other.t (id int); CREATE TYPE other.ty AS ENUM ('a'); CREATE TYPE ty AS ENUM ('b');
  CREATE DOMAIN hook AS regproc;
  CREATE TABLE t (id int PRIMARY KEY, p regproc, pr regprocedure, c regclass, ty regtype, o regoper, n regnamespace, list regproc[], h hook,
    doubled int GENERATED ALWAYS AS (id * 2) STORED);
  INSERT INTO t SELECT 1, 'f(int)'::regprocedure::oid::regproc, 'f(int)'::regprocedure, 'other.t'::regclass, 'other.ty'::regtype,
    '-(int,int)'::regoperator::oid::regoper, 'other', ARRAY['f(text)'::regprocedure::oid::regproc], 'f(text)'::regprocedure::oid::regproc;
  CREATE TABLE keyless (p regproc); INSERT INTO keyless SELECT 'f(text)'::regprocedure::oid::regproc`
const VALUES = `SELECT t.id, t.p::oid, t.pr::oid AS pr, t.c::oid AS c, t.ty::oid AS ty, t.o::oid AS o, t.n::oid AS n, t.list::oid[]::text AS list,
  t.h::oid AS h, t.doubled, (SELECT array_agg(k.p::oid)::text FROM keyless AS k) AS keyless FROM t`
const NAMED_WRITES = [
  'UPDATE t SET id = 2',
  'DELETE FROM t; DELETE FROM keyless',
  "UPDATE keyless SET p = 'f(int)'::regprocedure::oid::regproc",
  "UPDATE t SET p = 'f(text)'::regprocedure::oid::regproc",
]

/** `over` reads `under`, which was created after it. */
const VIEWS = `CREATE TABLE a (v int); INSERT INTO a VALUES (1); CREATE VIEW between AS SELECT v FROM a;
  CREATE MATERIALIZED VIEW over AS SELECT sum(v) AS s FROM between; CREATE MATERIALIZED VIEW under AS SELECT sum(v) AS s FROM a;
  CREATE OR REPLACE VIEW between AS SELECT s::int AS v FROM under; REFRESH MATERIALIZED VIEW over`
const SUMS = 'SELECT (SELECT s FROM over) AS over, (SELECT s FROM under) AS under'

for (const id of ['postgres:18', 'postgres:15'] as const) {
  describeOn(id, (bare) => {
    describe.each(POSTGRES_WAYS)('as a %s', (way) => {
      it.each([
        ['large objects of the baseline hold what they held', OBJECTS, CONTENTS, OBJECT_WRITES],
        ['names of overloaded functions and operators are read again', NAMED, VALUES, NAMED_WRITES],
        [
          'materialized views are refreshed after those that they read',
          VIEWS,
          SUMS,
          [
            'INSERT INTO a VALUES (10); REFRESH MATERIALIZED VIEW under; REFRESH MATERIALIZED VIEW over',
            'INSERT INTO a VALUES (10); REFRESH MATERIALIZED VIEW over; REFRESH MATERIALIZED VIEW under',
          ],
        ],
      ])('%s', async (_, schema, look, writes) => {
        const { server, options } = await inWay(bare, way)
        const holds = async (database: TestDatabase, run: Run) => {
          const before = await run(look)
          for (const write of [...writes, ...writes]) {
            await run(write)
            expect(await run(look), write).not.toEqual(before)
            expect((await database.reset()).notes, write).toEqual([])
            expect(await run(look), write).toEqual(before)
            expect(await database.verify(), write).toEqual([])
          }
        }
        await withLease(server, schema, options, holds)
        await withAttached(server, schema, options, holds, adoptHere)
      })
    })

    it('recreates the database for a large object that cannot be restored exactly', () =>
      withLease(
        bare,
        `${OBJECTS}; COMMENT ON LARGE OBJECT 50000 IS 'of its own'`,
        {},
        async (database, run) => {
          const before = await run(CONTENTS)
          await run('SELECT lo_unlink(50000)')
          const { notes } = await database.reset()
          expect(notes).toEqual([expect.stringMatching(/large object 50000.*recreated from its template/)])
          expect(await run(CONTENTS)).toEqual(before)
          expect(await run("SELECT obj_description(50000, 'pg_largeobject') AS is")).toEqual([
            { is: 'of its own' },
          ])
        },
      ))

    it('a new lease after a killed worker has the large objects of the baseline', () =>
      withLease(bare, OBJECTS, {}, async (database, run) => {
        const before = await run(CONTENTS)
        await run(
          `SELECT lo_put(50000, 0, 'zzz'); SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity AS a
           WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()`,
        )
        await database.reset().catch(() => {})
        await database.reset()
        expect(await run(CONTENTS)).toEqual(before)
      }))

    describe('a client given to attach', () => {
      it.each([
        'SET ROLE pg_monitor',
        'SET SESSION AUTHORIZATION pg_monitor',
        'DEALLOCATE ALL',
        'RESET ALL',
        "SET search_path = ''",
        'SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY',
      ])('may run %s', (sql) =>
        withClient(bare, async (client, serverAtHand) => {
          const database = await attach(client)
          await client.query('DELETE FROM public.t')
          await client.query(sql)
          const was = (await client.query('SELECT current_user, session_user')).rows
          expect((await database.reset()).dirty).toHaveLength(1)
          expect(await ask(serverAtHand, 'SELECT id FROM t')).toEqual([{ id: 1 }])
          expect(await database.verify()).toEqual([])
          expect((await client.query('SELECT current_user, session_user')).rows).toEqual(was)
          await database.release()
        }),
      )

      it.each(['DISCARD ALL', 'DISCARD TEMP'])('fails by name after %s: the baseline is gone', (sql) =>
        withClient(bare, async (client) => {
          const database = await attach(client)
          await client.query(`DELETE FROM public.t; `)
          await client.query(sql)
          await expect(database.reset()).rejects.toThrow(
            /client given to `attach` ran DISCARD ALL or DISCARD TEMP/,
          )
          await database.release()
        }),
      )
    })
  })
}

async function withClient(
  server: ServerAtHand,
  body: (client: pg.Client, serverAtHand: ServerAtHand) => Promise<void>,
): Promise<void> {
  await withDatabaseOn(server, `cases_${process.env.VITEST_POOL_ID}`, async (serverAtHand) => {
    await ask(serverAtHand, 'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)')
    await adoptHere(serverAtHand.url)
    const client = new pg.Client({ connectionString: serverAtHand.url })
    await client.connect()
    try {
      await body(client, serverAtHand)
    } finally {
      await client.end()
    }
  })
}
