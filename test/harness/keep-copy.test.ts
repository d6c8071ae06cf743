import mysql from 'mysql2/promise'
import pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import { attach, createHarness, existing, type HarnessOptions, type TestDatabase } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { asPlainRole } from '../support/plain-role.ts'
import { describeOn, oneOfEach, type ServerAtHand, type ServerId } from '../support/servers.ts'

const POSTGRES = `
  CREATE FUNCTION is_short(text) RETURNS bool LANGUAGE sql AS 'SELECT length($1) < 40';
  CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text CHECK (is_short(name)),
    upper_name text GENERATED ALWAYS AS (upper(name)) STORED, friend int, born timestamptz, score float8, raw bytea);
  ALTER TABLE users ADD FOREIGN KEY (friend) REFERENCES users DEFERRABLE INITIALLY DEFERRED;
  CREATE TABLE orders (id serial, user_id int NOT NULL REFERENCES users, day int NOT NULL, PRIMARY KEY (id, day))
    PARTITION BY RANGE (day);
  CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (0) TO (10);
  CREATE TABLE orders_2 PARTITION OF orders FOR VALUES FROM (10) TO (20);
  CREATE TABLE changes (what text, user_id int);
  ALTER TABLE changes ADD CONSTRAINT late FOREIGN KEY (user_id) REFERENCES users NOT VALID;
  CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO changes (what, user_id) VALUES (TG_OP, NULL); RETURN NULL; END';
  CREATE TRIGGER note AFTER INSERT OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION note();
  ALTER TABLE users ENABLE ALWAYS TRIGGER note;
  CREATE MATERIALIZED VIEW totals AS SELECT user_id, count(*) AS n FROM orders GROUP BY 1;
  CREATE TABLE untouched (id int PRIMARY KEY);
  INSERT INTO users (name) VALUES ('ann'), ('bob');
  INSERT INTO untouched VALUES (1), (2)`

const MYSQL = `
  CREATE TABLE users (id int AUTO_INCREMENT PRIMARY KEY, name varchar(40), upper_name varchar(40) AS (upper(name)) STORED,
    friend int, born timestamp(6) NULL, score double, raw blob, FOREIGN KEY (friend) REFERENCES users (id));
  CREATE TABLE orders (id int AUTO_INCREMENT PRIMARY KEY, user_id int NOT NULL, day int, FOREIGN KEY (user_id) REFERENCES users (id));
  CREATE TABLE changes (what varchar(10), user_id int);
  CREATE TRIGGER note AFTER INSERT ON users FOR EACH ROW INSERT INTO changes (what) VALUES ('INSERT');
  CREATE TABLE untouched (id int PRIMARY KEY);
  INSERT INTO users (name) VALUES ('ann'), ('bob');
  INSERT INTO untouched VALUES (1), (2)`

const WRITES = {
  postgres: `INSERT INTO users (name, friend, born, score, raw) VALUES ('eve\t\\N', 1, '2024-02-29 10:00:00.123456+01', 0.1::float8 + 0.2, '\\x00ff');
    UPDATE users SET friend = 3 WHERE id = 1; INSERT INTO orders (user_id, day) VALUES (3, 1), (1, 12), (1, 13);
    REFRESH MATERIALIZED VIEW totals`,
  mysql: `INSERT INTO users (name, friend, born, score, raw) VALUES ('eve\t\\\\N', 1, '2024-02-29 10:00:00.123456', 0.1 + 0.2, x'00ff');
    UPDATE users SET friend = 3 WHERE id = 1; INSERT INTO orders (user_id, day) VALUES (3, 1), (1, 12), (1, 13)`,
}

const dialectOf = ({ engine }: ServerAtHand) => (engine === 'postgres' ? 'postgres' : 'mysql')

async function connectTo(server: ServerAtHand, url: string) {
  if (server.engine === 'postgres') {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    return { query: async (sql: string) => void (await client.query(sql)), end: () => client.end() }
  }
  const connection = await mysql.createConnection(url)
  return { query: async (sql: string) => void (await connection.query(sql)), end: () => connection.end() }
}

/** Leases a database. After `body`, which leaves a transaction open, its client is still connected. */
async function withClient(
  server: ServerAtHand,
  options: HarnessOptions,
  body: (database: TestDatabase, client: Awaited<ReturnType<typeof connectTo>>) => Promise<void>,
) {
  await using harness = await createHarness(options)
  await using database = await harness.lease()
  const client = await connectTo(server, database.url)
  try {
    await body(database, client)
    await client.query('ROLLBACK')
    await database.reset()
    expect(await database.verify()).toEqual([])
    await client.query('SELECT 1')
  } finally {
    await client.end()
  }
}

async function copyOf(database: TestDatabase) {
  const copy = await database.keepCopy()
  if (copy === undefined) throw new Error('nothing was copied')
  return copy
}

async function contentsOf(server: ServerAtHand) {
  const queries = [
    'SELECT * FROM users ORDER BY id',
    'SELECT * FROM orders ORDER BY id',
    'SELECT * FROM changes ORDER BY what',
    'SELECT * FROM untouched ORDER BY id',
    ...(server.engine === 'postgres'
      ? ['SELECT * FROM totals ORDER BY user_id', 'SELECT last_value, is_called FROM orders_id_seq']
      : []),
  ]
  return Promise.all(queries.map((sql) => ask(server, sql)))
}

/** Keys and triggers of the copy are those of the source. */
const DEFINITIONS = `
  SELECT conname::text AS name, pg_get_constraintdef(oid) AS definition, convalidated::text AS state FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype = 'f'
  UNION ALL SELECT tgname::text, tgrelid::regclass::text, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2`

const optionsFor = (server: ServerAtHand, project: string): HarnessOptions => ({
  server: existing(server.url),
  project,
  migrate: async ({ url }) =>
    void (await ask({ ...server, url }, dialectOf(server) === 'postgres' ? POSTGRES : MYSQL)),
})

const keptOn = async (server: ServerAtHand, project: string) => {
  const sql =
    server.engine === 'postgres'
      ? 'SELECT datname AS name FROM pg_database'
      : 'SELECT schema_name AS name FROM information_schema.schemata'
  const rows = await ask(server, sql)
  return rows.map(({ name }) => String(name)).filter((name) => name.startsWith(`afresh_${project}_kept_`))
}

const dropKept = async (server: ServerAtHand, project: string) => {
  for (const name of await keptOn(server, project)) await ask(server, `DROP DATABASE ${name}`)
}

for (const { id } of oneOfEach) {
  describeOn(id, (server) => {
    const project = 'keeping'
    afterEach(() => dropKept(server, project))

    it('a copy has what the test wrote, whoever is connected, and stays after the run', async () => {
      const harness = await createHarness(optionsFor(server, project))
      const database = await harness.lease()
      const at = (url: string) => ({ ...server, url })
      await ask(at(database.url), WRITES[dialectOf(server)])
      const written = await contentsOf(at(database.url))
      const copy = await copyOf(database)
      expect(copy.tables.toSorted()).toEqual(
        ['users', 'orders', 'changes', ...(server.engine === 'postgres' ? ['totals'] : [])].toSorted(),
      )
      expect(await contentsOf(at(copy.url))).toEqual(written)

      await database.reset()
      expect(await database.verify()).toEqual([])
      await database.release()
      await harness.close()
      expect(await contentsOf(at(copy.url))).toEqual(written)
      expect(await keptOn(server, project)).toEqual([copy.name])
      // An existing server has a password of the user's.
      expect(copy.command).not.toContain(new URL(server.url).password)
      expect(copy.command).toContain(copy.name)
    })

    it('copies beside an open transaction what is committed, and keeps clients connected', () =>
      withClient(server, optionsFor(server, project), async (database, client) => {
        const at = (url: string) => ({ ...server, url })
        await ask(at(database.url), WRITES[dialectOf(server)])
        const written = await contentsOf(at(database.url))
        await client.query('BEGIN')
        await client.query("UPDATE users SET name = 'open' WHERE id = 1")
        const copy = await copyOf(database)
        expect(await contentsOf(at(copy.url))).toEqual(written)
      }))

    it('workers copy at the same time, and none drops what another is making', async () => {
      await using harness = await createHarness(optionsFor(server, project))
      const leased = await Promise.all([1, 2, 3, 4, 5, 6].map((slot) => harness.lease({ slot })))
      for (const { url } of leased) await ask({ ...server, url }, WRITES[dialectOf(server)])
      const copies = await Promise.all(leased.map((database) => copyOf(database)))
      expect(new Set(copies.map(({ name }) => name)).size).toBe(6)
      await Promise.all(leased.map((database) => database.release()))
    })

    it('a copy that somebody has open stays', async () => {
      await using harness = await createHarness(optionsFor(server, project))
      await using database = await harness.lease()
      const first = await copyOf(database)
      const person = await connectTo(server, first.url)
      for (let number = 0; number < 3; number++) await copyOf(database)
      expect(await keptOn(server, project)).toContain(first.name)
      await person.query('SELECT * FROM users')
      await person.end()
      await expect
        .poll(
          async () => {
            await copyOf(database)
            return keptOn(server, project)
          },
          { timeout: 20_000 },
        )
        .not.toContain(first.name)
    })

    it('keeps the newest three copies', async () => {
      await using harness = await createHarness(optionsFor(server, project))
      await using database = await harness.lease()
      expect(await database.keepCopy({ ifDirty: true })).toBeUndefined()
      await expect(database.keepCopy({ withinMs: 0 })).rejects.toThrow(/A copy would take about \d+ s/)
      const names: string[] = []
      for (let number = 0; number < 4; number++) names.push((await copyOf(database)).name)
      expect((await keptOn(server, project)).toSorted()).toEqual(names.slice(1).toSorted())
    })
  })
}

const SERVERS: readonly ServerId[] = ['embedded:18', 'postgres:15']
for (const id of SERVERS) {
  describeOn(id, (superuser) => {
    describe.each(['superuser', 'plain role'])('as a %s', (role) => {
      const own = async () => (role === 'superuser' ? superuser : await asPlainRole(superuser))

      it('the copy has every key and trigger', async () => {
        const server = await own()
        await withClient(server, optionsFor(server, 'keeping_keys'), async (database, client) => {
          const at = (url: string) => ({ ...server, url })
          await client.query(WRITES.postgres)
          const written = await contentsOf(at(database.url))
          await client.query(`BEGIN; INSERT INTO users (name) VALUES ('not committed')`)
          const copy = await copyOf(database)
          expect(await contentsOf(at(copy.url))).toEqual(written)
          expect(await ask(at(copy.url), DEFINITIONS)).toEqual(await ask(at(database.url), DEFINITIONS))
        })
        await dropKept(server, 'keeping_keys')
      })

      it('fails beside a lock, and leaves nothing', async () => {
        const server = await own()
        const options = { ...optionsFor(server, 'keeping_locks'), lockTimeoutMs: 300 }
        await withClient(server, options, async (database, client) => {
          await client.query(
            `INSERT INTO users (name) VALUES ('eve'); BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE`,
          )
          await expect(database.keepCopy()).rejects.toThrow(/lock/)
          expect(await keptOn(server, 'keeping_locks')).toEqual([])
        })
      })
    })

    it('copies no attached database', async () => {
      const server = superuser
      await ask(server, 'CREATE DATABASE keeping_attached')
      try {
        const url = new URL(server.url)
        url.pathname = '/keeping_attached'
        await using database = await attach(url.href)
        await expect(database.keepCopy()).rejects.toThrow(/keepCopy: this database was attached/)
      } finally {
        await ask(server, 'DROP DATABASE keeping_attached WITH (FORCE)')
      }
    })
  })
}
