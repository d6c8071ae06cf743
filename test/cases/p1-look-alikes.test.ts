import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { adopt, attach, createHarness, existing, planReset, type TestDatabase } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { asPlainRole } from '../support/plain-role.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'

/** All names that afresh's own SQL could refer to: the words in the engine's source. */
const folder = resolve(import.meta.dirname, '../../src/engine/postgres')
const words = new Set(
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap(
      ({ parentPath, name }) =>
        readFileSync(resolve(parentPath, name), 'utf8').match(/[a-z_][a-z_0-9]*/gi) ?? [],
    ),
)

const SCHEMA = `
  CREATE TABLE a (id serial PRIMARY KEY, t text, tags int[], deleted_at timestamptz);
  CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE, deleted_at timestamptz, CHECK (id > 0));
  CREATE TABLE p (id int, part text) PARTITION BY LIST (part);
  CREATE TABLE p_x PARTITION OF p FOR VALUES IN ('x');
  CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM a;
  CREATE TABLE fine (word text); INSERT INTO fine VALUES ('one'), ('two');
  CREATE FUNCTION is_fine(text) RETURNS boolean LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM fine WHERE word LIKE $1)';
  CREATE TABLE checked (word text CHECK (is_fine(word)));
  INSERT INTO checked VALUES ('one');
  CREATE DOMAIN fine_word AS text CHECK (is_fine(VALUE));
  CREATE TYPE pair AS (word fine_word, n int);
  CREATE TABLE nested (words fine_word[], pairs pair[]);
  INSERT INTO nested VALUES ('{one}', ARRAY[ROW('two', 1)::pair]);
  CREATE FUNCTION letters(text) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT length($1)';
  CREATE FUNCTION size_of(text) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN letters($1); END';
  CREATE TABLE sized (word text) PARTITION BY LIST (size_of(word));
  CREATE TABLE sized_3 PARTITION OF sized FOR VALUES IN (3);
  INSERT INTO sized VALUES ('one');
  INSERT INTO a (t) VALUES ('one'), ('two'); INSERT INTO b VALUES (1, 1); INSERT INTO p VALUES (1, 'x'); REFRESH MATERIALIZED VIEW m;`

/** A schema of functions, operators, types and tables that have the server's names, and fail when used. */
const LOOK_ALIKES = `
CREATE SCHEMA look;
CREATE FUNCTION look.fails() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''a look-alike was used''; END';
DO $$ DECLARE f record; BEGIN
  FOR f IN SELECT p.proname, pg_get_function_identity_arguments(p.oid) AS args, pg_get_function_result(p.oid) AS result
      FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = ANY (ARRAY[WORDS]) AND p.prokind IN ('f', 'a') LOOP
    BEGIN
      EXECUTE format('CREATE FUNCTION look.%I(%s) RETURNS %s LANGUAGE plpgsql AS ''BEGIN RAISE ''''a look-alike was used: %s''''; END''',
        f.proname, replace(f.args, 'ORDER BY ', ''), f.result, f.proname);
    EXCEPTION WHEN OTHERS THEN NULL; END;
  END LOOP;
  FOR f IN SELECT o.oprname, format_type(o.oprleft, NULL) AS l, format_type(o.oprright, NULL) AS r FROM pg_operator o
      WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprleft <> 0 AND o.oprname IN ('=', '<>', '<', '>', '<=', '>=', '||', '@>', '+', '-', '*', '/', '->>', '~', '#', '<<', '|')
        AND o.oprleft IN (SELECT t.oid FROM pg_type t WHERE t.typtype = 'b') LOOP
    BEGIN
      EXECUTE format('CREATE FUNCTION look.operator_%s(%s, %s) RETURNS boolean LANGUAGE plpgsql AS ''BEGIN RAISE ''''a look-alike was used''''; END''', md5(f.oprname), f.l, f.r);
      EXECUTE format('CREATE OPERATOR look.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = look.operator_%s)', f.oprname, f.l, f.r, md5(f.oprname));
    EXCEPTION WHEN OTHERS THEN NULL; END;
  END LOOP;
  FOR f IN SELECT t.typname FROM pg_type t WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype = 'b' AND t.typname = ANY (ARRAY[WORDS]) LOOP
    BEGIN EXECUTE format('CREATE DOMAIN look.%I AS pg_catalog.int2vector', f.typname); EXCEPTION WHEN OTHERS THEN NULL; END;
  END LOOP;
  FOR f IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname = ANY (ARRAY[WORDS]) LOOP
    BEGIN EXECUTE format('CREATE VIEW look.%I AS SELECT 1 / 0 AS oid', f.relname); EXCEPTION WHEN OTHERS THEN NULL; END;
  END LOOP;
END $$;
GRANT USAGE ON SCHEMA look TO PUBLIC`.replaceAll('WORDS', [...words].map((word) => `'${word}'`).join(', '))

/** Runs all operations of a database. */
async function exercise(
  database: TestDatabase,
  run: (sql: string) => Promise<unknown>,
  rows: () => Promise<unknown>,
) {
  const before = await rows()
  for (let round = 0; round < 2; round++) {
    await run(`INSERT INTO public.a (t) VALUES ('three')`)
    await run(`DELETE FROM public.b`)
    await run(`DELETE FROM public.checked`)
    await run(`DELETE FROM public.nested`)
    await run(`DELETE FROM public.sized`)
    await run(`INSERT INTO public.p VALUES (2, 'x')`)
    await run('REFRESH MATERIALIZED VIEW public.m')
    expect((await database.verify()).length).toBeGreaterThan(3)
    await database.openResources()
    const { dirty } = await database.reset()
    expect(dirty).toEqual(expect.arrayContaining(['a', 'b', 'checked', 'nested', 'p', 'sized']))
    expect(await database.verify()).toEqual([])
    expect(await rows()).toEqual(before)
  }
}

/** The strictest `search_path`, set by the driver: everything outside of it needs qualified names. */
const AS_TESTS = `SET search_path = pg_catalog, public`

describeOn('postgres:18', (server) => {
  const name = `case_p1_${process.env.VITEST_POOL_ID}`
  const runOn = (serverAtHand: ServerAtHand) => (sql: string) => ask(serverAtHand, `${AS_TESTS}; ${sql}`)
  const rowsOf = (serverAtHand: ServerAtHand) => async () => {
    const client = new pg.Client({ connectionString: serverAtHand.url })
    await client.connect()
    await client.query(AS_TESTS)
    const { rows } = await client.query(
      `SELECT (SELECT json_agg(a ORDER BY id) FROM a) AS a, (SELECT json_agg(b) FROM b) AS b, (SELECT json_agg(c) FROM checked c) AS c,
         (SELECT json_agg(n) FROM nested n) AS n, (SELECT json_agg(s) FROM sized s) AS s, (SELECT json_agg(m) FROM m) AS m`,
    )
    await client.end()
    return rows
  }

  describe.each(['look, public, pg_catalog', 'look, public'])(
    'a database whose search_path is %s',
    (path) => {
      const hostile = async (serverAtHand: ServerAtHand) => {
        await ask(serverAtHand, LOOK_ALIKES)
        await ask(serverAtHand, SCHEMA)
        await ask(
          server,
          `ALTER DATABASE ${new URL(serverAtHand.url).pathname.slice(1)} SET search_path = ${path}`,
        )
      }

      it.each(['auto', 'scan'] as const)(
        'is adopted, reset, verified and erased from by URL, detector %s',
        (detector) =>
          withDatabaseOn(server, name, async (serverAtHand) => {
            await hostile(serverAtHand)
            await adopt(serverAtHand.url, { confirm: async ({ confirmation }) => confirmation })
            await planReset(serverAtHand.url)
            await using database = await attach(serverAtHand.url, { detector })
            await exercise(database, runOn(serverAtHand), rowsOf(serverAtHand))
            await database.erase('a', { t: 'two' }, { cascade: 'follow' })
            await database.erase('a', { t: 'one' }, { cascade: 'follow', softDelete: 'deleted_at' })
            await database.purge({ cascade: 'follow' })
            await database.reset()
          }),
      )

      it('is attached by a client', () =>
        withDatabaseOn(server, name, async (serverAtHand) => {
          await hostile(serverAtHand)
          await adopt(serverAtHand.url, { confirm: async ({ confirmation }) => confirmation })
          const client = new pg.Client({ connectionString: serverAtHand.url })
          await client.connect()
          const database = await attach(client)
          await exercise(database, runOn(serverAtHand), rowsOf(serverAtHand))
          await database.release()
          await client.end()
        }))

      it('is leased by a role that only owns it', async () => {
        const plain = await asPlainRole(server)
        await using harness = await createHarness({
          server: existing(plain.url),
          migrate: async ({ url }) => {
            const owned = { ...plain, url }
            const asSuperuser = { ...server, url: server.url.replace(/\/[^/]*$/, new URL(url).pathname) }
            await ask(asSuperuser, LOOK_ALIKES)
            await ask(owned, SCHEMA)
            await ask(server, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET search_path = ${path}`)
          },
        })
        await using database = await harness.lease()
        const target = { ...plain, url: database.url }
        await exercise(database, runOn(target), rowsOf(target))
      })
    },
  )

  it("starts with the extension intarray, whose operators compete with the server's (P1)", async () => {
    await using harness = await createHarness({
      server: existing(server.url),
      migrate: async ({ url }) =>
        void (await ask(
          { ...server, url },
          'CREATE EXTENSION intarray; CREATE TABLE a (id int PRIMARY KEY, b int REFERENCES a)',
        )),
    })
    await using database = await harness.lease()
    await ask({ ...server, url: database.url }, 'INSERT INTO a VALUES (1, 1)')
    expect((await database.reset()).dirty).toEqual(['a'])
  })
})
