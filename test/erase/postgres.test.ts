import pg from 'pg'
import { expect, it } from 'vitest'
import { attach, createHarness, eraseFrom, existing, sql, type TestDatabase } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'
import { tapWire } from '../support/wire.ts'

async function onDatabase(
  server: ServerAtHand,
  schema: string,
  body: (database: TestDatabase, run: (sql: string) => Promise<Record<string, unknown>[]>) => Promise<void>,
): Promise<void> {
  await using harness = await createHarness({
    server: existing(server.url),
    migrate: ({ url }) => ask({ ...server, url }, schema).then(() => {}),
  })
  await using database = await harness.lease()
  await body(database, (text) => ask({ ...server, url: database.url }, text))
}

const deletedIn = ({ tables }: { tables: readonly { table: string; deleted: number | undefined }[] }) =>
  Object.fromEntries(tables.map(({ table, deleted }) => [table, deleted]))

for (const id of ['embedded:18', 'postgres:15'] as const) {
  describeOn(id, (server) => {
    it('deletes the rows of inheriting tables, as DELETE does, and what refers to each', () =>
      onDatabase(
        server,
        `CREATE TABLE animals (id int PRIMARY KEY, name text);
         CREATE TABLE dogs (PRIMARY KEY (id)) INHERITS (animals);
         CREATE TABLE puppies (PRIMARY KEY (id)) INHERITS (dogs);
         CREATE TABLE leads (id int PRIMARY KEY, dog int REFERENCES dogs);
         INSERT INTO animals VALUES (1, 'cat'), (2, 'owl'); INSERT INTO dogs VALUES (3, 'rex'), (4, 'owl');
         INSERT INTO puppies VALUES (5, 'rex'); INSERT INTO leads VALUES (1, 3), (2, 4);`,
        async (database, run) => {
          const where = sql`animals.name IN (${'rex'}, ${'cat'})`
          await expect(database.erase('animals', where)).rejects.toMatchObject({
            message: expect.stringContaining('dogs ← leads.dog'),
          })
          const report = await database.erase('animals', where, { cascade: 'follow' })
          expect(deletedIn(report)).toEqual({ animals: 1, dogs: 1, puppies: 1, leads: 1 })
          expect(await run('SELECT id FROM animals ORDER BY id')).toEqual([{ id: 2 }, { id: 4 }])
          // Nothing refers to these rows.
          expect((await database.erase('puppies', { name: 'x' })).statements).toHaveLength(1)
        },
      ))

    it('supports partitioned tables, and foreign keys of a single partition', () =>
      onDatabase(
        server,
        `CREATE TABLE users (id int PRIMARY KEY);
         CREATE TABLE events (id int, kind int, user_id int, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind);
         CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
         CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2);
         ALTER TABLE events_1 ADD FOREIGN KEY (user_id) REFERENCES users;
         CREATE TABLE notes (event int, kind int, FOREIGN KEY (event, kind) REFERENCES events);
         INSERT INTO users VALUES (1), (2);
         INSERT INTO events VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1); INSERT INTO notes VALUES (1, 1), (1, 1), (3, 2);`,
        async (database, run) => {
          // The third event has user_id 1 too, but no foreign key makes that a reference.
          const report = await database.erase('users', [1], { cascade: 'follow' })
          expect(deletedIn(report)).toEqual({ users: 1, events: 1, notes: 2 })
          expect(await run('SELECT id FROM events ORDER BY id')).toEqual([{ id: 2 }, { id: 3 }])
          expect(deletedIn(await database.erase('events', { kind: 2 }, { cascade: 'follow' }))).toEqual({
            events: 1,
            notes: 1,
          })
        },
      ))

    it('compares like the foreign key, sets only the columns that it names, and needs no search_path', () =>
      onDatabase(
        server,
        `CREATE SCHEMA types; CREATE EXTENSION citext SCHEMA types;
         CREATE TABLE codes (code types.citext PRIMARY KEY);
         CREATE TABLE uses (id int PRIMARY KEY, code types.citext REFERENCES codes);
         CREATE TABLE tenants (tenant int, id int, PRIMARY KEY (tenant, id));
         CREATE TABLE seats (tenant int NOT NULL, seat int, who int,
           FOREIGN KEY (tenant, who) REFERENCES tenants ON DELETE SET NULL (who));
         INSERT INTO codes VALUES ('ab'), ('cd'); INSERT INTO uses VALUES (1, 'AB'), (2, 'cd');
         INSERT INTO tenants VALUES (1, 1), (1, 2); INSERT INTO seats VALUES (1, 1, 1), (1, 2, 2), (1, 3, 1);`,
        async (database, run) => {
          expect(deletedIn(await database.erase('codes', ['ab'], { cascade: 'follow' }))).toEqual({
            codes: 1,
            uses: 1,
          })
          const report = await database.erase('tenants', [[1, 1]])
          expect(report.tables).toEqual([
            expect.objectContaining({ table: 'tenants', deleted: 1 }),
            expect.objectContaining({ table: 'seats', changed: 2 }),
          ])
          expect(await run('SELECT who FROM seats ORDER BY seat')).toEqual([
            { who: null },
            { who: 2 },
            { who: null },
          ])
        },
      ))

    it('selects rows before triggers change them, and fires the triggers of deleted rows', () =>
      onDatabase(
        server,
        `CREATE TABLE parents (id int PRIMARY KEY, children int DEFAULT 0);
         CREATE TABLE children (id int PRIMARY KEY, parent int NOT NULL REFERENCES parents);
         CREATE TABLE seen (line text);
         CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           UPDATE parents SET children = children - 1 WHERE parents.id = OLD.parent;
           INSERT INTO seen VALUES (TG_TABLE_NAME || OLD.id); RETURN OLD; END $$;
         CREATE TRIGGER see AFTER DELETE ON children FOR EACH ROW EXECUTE FUNCTION see();
         INSERT INTO parents VALUES (1, 2), (2, 1); INSERT INTO children VALUES (1, 1), (2, 1), (3, 2);`,
        async (database, run) => {
          // The trigger changes the column in the condition before the parents are deleted.
          const report = await database.erase('parents', { children: 2 }, { cascade: 'follow' })
          expect(deletedIn(report)).toEqual({ parents: 1, children: 2 })
          expect(await run('SELECT line FROM seen ORDER BY 1')).toEqual([
            { line: 'children1' },
            { line: 'children2' },
          ])
        },
      ))

    it('in batches deletes no other row at the ctid of a selected one', () =>
      onDatabase(
        server,
        `CREATE TABLE log (n int, text text) WITH (autovacuum_enabled = off);
         CREATE TABLE tree (id int UNIQUE, up int REFERENCES tree (id) ON DELETE SET NULL);
         INSERT INTO log SELECT n, 'old' FROM generate_series(1, 6) AS n`,
        async (database, run) => {
          const client = new pg.Client({ connectionString: database.url })
          await client.connect()
          // Each batch waits for the lock that the client takes when the previous batch is reported.
          let others: Promise<void> = Promise.resolve()
          let kept = 0
          const onProgress = ({ batch }: { batch: number }) => {
            if (batch !== 1) return
            others = (async () => {
              await client.query('BEGIN; LOCK TABLE log IN ACCESS EXCLUSIVE MODE')
              await client.query('CREATE TEMP TABLE kept AS SELECT 100 + n AS n FROM log; TRUNCATE log')
              const written = await client.query("INSERT INTO log SELECT n, 'new' FROM kept")
              await client.query('COMMIT')
              kept = written.rowCount ?? 0
            })()
          }
          const where = sql`text = ${'old'}`
          const report = await database.erase('log', where, { batch: 1, onProgress, lockTimeoutMs: 20_000 })
          await others
          await client.end()
          expect(report.rows).toBe(6 - kept)
          expect(await run('SELECT n FROM log')).toHaveLength(kept)
          await expect(database.erase('tree', sql`1 = 1`, { batch: 1 })).rejects.toMatchObject({
            code: 'usage',
            message: expect.stringContaining('tree has no primary key'),
          })
        },
      ))

    it('accepts many keys of several columns', () =>
      onDatabase(
        server,
        'CREATE TABLE t (a int, b int, PRIMARY KEY (a, b)); INSERT INTO t VALUES (1, 1), (29999, 29999), (7, 8)',
        async (database) => {
          const keys = Array.from({ length: 30_000 }, (_, n) => [n, n])
          expect(await database.erase('t', keys)).toMatchObject({ rows: 2 })
        },
      ))

    it('drops no archive table in which another session has archived rows', () =>
      onDatabase(
        server,
        'CREATE TABLE staff (id int PRIMARY KEY, boss int REFERENCES staff); INSERT INTO staff VALUES (1, NULL), (2, 1), (3, 2), (4, NULL)',
        async (database, run) => {
          const client = new pg.Client({ connectionString: database.url })
          await client.connect()
          await client.query('BEGIN')
          await client.query('UPDATE staff SET boss = NULL WHERE id = 3')
          const options = {
            cascade: 'follow',
            archive: true,
            onDelete: { 'staff.boss': 'restrict' },
          } as const
          const blocked = database.erase('staff', [3], { ...options, lockTimeoutMs: 2000 })
          await new Promise((resolve) => setTimeout(resolve, 700))
          await eraseFrom(database.url, 'staff', [4], options)
          await expect(blocked).rejects.toMatchObject({ code: 'blocked' })
          await client.query('ROLLBACK')
          await client.end()
          expect(await run('SELECT id FROM staff_archive')).toEqual([{ id: 4 }])
          await expect(database.erase('staff', [1], options)).rejects.toMatchObject({ code: 'erase' })
          expect(await run('SELECT id FROM staff_archive')).toEqual([{ id: 4 }])
        },
      ))

    it('restores the planner settings of a client', () =>
      onDatabase(
        server,
        `CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t); CREATE INDEX ON t (up);
         INSERT INTO t VALUES (1, NULL), (2, 1), (3, 2)`,
        async (database) => {
          const client = new pg.Client({ connectionString: database.url })
          await client.connect()
          const attached = await attach(client)
          await client.query('BEGIN; SET LOCAL enable_hashjoin = off')
          const { rows, statements } = await attached.erase('t', [1], { cascade: 'follow' })
          expect(rows).toBe(3)
          expect(statements.some((statement) => statement.sql.includes('enable_hashjoin'))).toBe(true)
          const { rows: now } = await client.query(
            "SELECT current_setting('enable_hashjoin') AS hash, current_setting('enable_mergejoin') AS merge",
          )
          expect(now).toEqual([{ hash: 'off', merge: 'on' }])
          await client.query('ROLLBACK')
          await attached.release()
          await client.end()
        },
      ))

    it('leaves a transaction of a client usable, respects the lock timeout, and reports a failed transaction', () =>
      onDatabase(
        server,
        'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)',
        async (database) => {
          const [client, other] = [1, 2].map(() => new pg.Client({ connectionString: database.url })) as [
            pg.Client,
            pg.Client,
          ]
          await Promise.all([client.connect(), other.connect()])
          const attached = await attach(client, { lockTimeoutMs: 300 })
          await client.query('BEGIN; INSERT INTO t VALUES (3)')
          await expect(attached.erase('t', sql`nope = 1`)).rejects.toMatchObject({ name: 'EraseError' })
          expect((await client.query('SELECT id FROM t')).rowCount).toBe(3)
          const waiting = sql`current_setting('lock_timeout') = '300ms'`
          expect((await attached.erase('t', waiting, { dryRun: true })).rows).toBe(3)
          await other.query('BEGIN; LOCK TABLE t IN ROW SHARE MODE; SELECT id FROM t WHERE id = 1 FOR UPDATE')
          await expect(attached.erase('t', [1], { lockTimeoutMs: 200 })).rejects.toMatchObject({
            code: 'blocked',
          })
          expect((await client.query('SHOW lock_timeout')).rows).toEqual([{ lock_timeout: '0' }])
          await client.query('SELECT 1 / 0').catch(() => {})
          await expect(attached.erase('t', [2])).rejects.toMatchObject({
            code: 'erase',
            message: expect.stringContaining('in a failed transaction'),
          })
          await client.query('ROLLBACK')
          await other.query('ROLLBACK')
          await attached.release()
          await Promise.all([client.end(), other.end()])
        },
      ))

    it('names the session that holds the lock, and changes nothing', () =>
      onDatabase(
        server,
        'CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int REFERENCES t); INSERT INTO t VALUES (1); INSERT INTO u VALUES (1)',
        async (database, run) => {
          const client = new pg.Client({ connectionString: database.url, application_name: 'the other test' })
          await client.connect()
          await client.query('BEGIN; LOCK TABLE t')
          await expect(
            database.erase('t', sql`1 = 1`, { cascade: 'declared', lockTimeoutMs: 300 }),
          ).rejects.toMatchObject({
            code: 'blocked',
          })
          await expect(
            database.erase('t', [1], { cascade: 'follow', lockTimeoutMs: 300 }),
          ).rejects.toMatchObject({ code: 'blocked', message: expect.stringContaining('the other test') })
          await client.query('ROLLBACK')
          await client.end()
          expect(await run('SELECT id FROM t')).toHaveLength(1)
        },
      ))
  })
}

describeOn('embedded:18', (server) => {
  it('takes one round trip if nothing refers to the rows', async () => {
    const schema = 'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)'
    await using wire = await tapWire(server.url)
    await onDatabase({ ...server, url: wire.url }, schema, async (database) => {
      await database.erase('t', [1])
      wire.count()
      expect(await database.erase('t', [2, 3])).toMatchObject({ rows: 2 })
      expect(wire.count()).toBe(1)
    })
  })
})
