import { describe, expect, it } from 'vitest'
import { describeOn } from '../support/servers.ts'
import { inWay, POSTGRES_WAYS, withLease } from './support.ts'

const SCHEMA = `
  CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'ann'), (2, 'bob');
  CREATE DOMAIN size AS int CHECK (value > 0);
  CREATE TYPE span AS RANGE (subtype = float8);
  CREATE FUNCTION kind_of(bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'big' $$;
  CREATE FUNCTION is_near(int, bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT true $$;`

const OWN_SCHEMA = `DO $$ BEGIN EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', current_user); END $$`
const inOwnSchema = (sql: string) =>
  `${OWN_SCHEMA}; DO $$ BEGIN EXECUTE format('${sql}', current_user); END $$`

/** What a test adds, a statement that it changes, and the object that the note names. */
const SHADOWING: readonly (readonly [add: string, statement: string, object: RegExp])[] = [
  [inOwnSchema('CREATE TABLE %I.users (id int)'), 'SELECT count(*)::int AS is FROM users', /table .*\.users/],
  [
    inOwnSchema('CREATE VIEW %I.users AS SELECT 7 AS id'),
    'SELECT max(id) AS is FROM users',
    /table .*\.users/,
  ],
  [
    inOwnSchema('CREATE DOMAIN %I.size AS int CHECK (value < 9)'),
    'SELECT (9::size)::int AS is',
    /type .*\.size/,
  ],
  [
    `CREATE FUNCTION kind_of(int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'int' $$`,
    'SELECT kind_of(1) AS is',
    /function public\.kind_of\(integer\)/,
  ],
  [
    `CREATE FUNCTION lower(varchar) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'mine' $$`,
    `SELECT lower('A'::varchar) AS is`,
    /function public\.lower/,
  ],
  [
    'CREATE OPERATOR % (leftarg = int, rightarg = bigint, function = is_near)',
    'SELECT (7 % 4::bigint)::text AS is',
    /operator .*%/,
  ],
  [`CREATE CAST (span AS text) WITH INOUT AS IMPLICIT`, `SELECT 'a' || span(1, 2) AS is`, /cast from .*span/],
]

/** These add names, and change no statement that worked before. */
const HARMLESS = [
  'CREATE DOMAIN small AS int CHECK (value < 10)',
  'CREATE SCHEMA tenant; CREATE TABLE tenant.users (id int); CREATE DOMAIN tenant.size AS int',
  `CREATE TYPE mood AS ENUM ('sad'); CREATE CAST (mood AS varchar) WITH INOUT AS IMPLICIT;
   CREATE FUNCTION lower(mood) RETURNS text LANGUAGE sql AS $$ SELECT 'm' $$`,
  `CREATE FUNCTION kind_of(text) RETURNS text LANGUAGE sql AS $$ SELECT 'text' $$`,
  `CREATE FUNCTION kind_of(bigint, text) RETURNS text LANGUAGE sql AS $$ SELECT 'two' $$`,
]

for (const id of ['postgres:18', 'postgres:15'] as const) {
  describeOn(id, (bare) => {
    describe.each(POSTGRES_WAYS)('as a %s', (way) => {
      it('recreates the database after a test added an object that changes what statements mean', async () => {
        const { server, options } = await inWay(bare, way)
        await withLease(server, SCHEMA, options, async (database, run) => {
          const answer = (sql: string) => run(sql).catch((error: Error) => error.message)
          for (const [add, statement, object] of SHADOWING) {
            const before = await answer(statement)
            await run(add)
            expect(await answer(statement), add).not.toEqual(before)
            const { notes } = await database.reset()
            expect(notes, add).toEqual([expect.stringMatching(/recreated from its template/)])
            expect(notes[0], add).toMatch(object)
            expect(await answer(statement), add).toEqual(before)
            expect((await database.reset()).notes, add).toEqual([])
          }
        })
      })

      it('leaves new objects alone that change nothing', async () => {
        const { server, options } = await inWay(bare, way)
        await withLease(server, SCHEMA, options, async (database, run) => {
          for (const add of HARMLESS) {
            await run(add)
            expect((await database.reset()).recreated ?? false, add).toBe(false)
          }
        })
      })
    })
  })
}
