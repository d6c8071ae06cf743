import mysql from 'mysql2/promise'
import { expect, it } from 'vitest'
import { attach, createHarness, eraseFrom, existing, sql, type TestDatabase } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'
import { untilWaiting } from '../support/waiting.ts'

const SCHEMA = `
  CREATE TABLE staff (id int PRIMARY KEY, boss int, FOREIGN KEY (boss) REFERENCES staff (id));
  CREATE TABLE big (id bigint unsigned PRIMARY KEY, seen date, flag tinyint(1), code varchar(20));
  CREATE TABLE plain (id int PRIMARY KEY) ENGINE = MyISAM;
  INSERT INTO staff VALUES (1, NULL), (2, 1), (3, 2);
  INSERT INTO big VALUES (9007199254740993, NULL, 1, '7'), (9007199254740992, '2024-05-01', 0, '07');
  INSERT INTO plain VALUES (1), (2);`

async function onDatabase(
  server: ServerAtHand,
  body: (database: TestDatabase, client: mysql.Connection) => Promise<void>,
): Promise<void> {
  await using harness = await createHarness({
    server: existing(server.url),
    migrate: ({ url }) => ask({ ...server, url }, SCHEMA).then(() => {}),
  })
  await using database = await harness.lease()
  const client = await mysql.createConnection({ uri: database.url, multipleStatements: true })
  try {
    await body(database, client)
  } finally {
    await client.end()
  }
}

for (const id of ['mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    it('compares values exactly as columns do', () =>
      onDatabase(server, async (database) => {
        const rows = async (where: Parameters<TestDatabase['erase']>[1]) =>
          (await database.erase('big', where, { dryRun: true })).rows
        expect(await rows([9007199254740993n])).toBe(1)
        expect(await rows({ id: { gt: 9007199254740992n } })).toBe(1)
        expect(await rows({ flag: true })).toBe(1)
        expect(await rows({ code: '7' })).toBe(1)
        expect(await rows({ seen: '2024-05-01' })).toBe(1)
        expect(await rows({ seen: { lt: new Date('2025-01-01') } })).toBe(1)
        expect(await rows({ flag: false, seen: { not: null } })).toBe(1)
      }))

    it('deletes a row that another session inserts meanwhile under READ COMMITTED', () =>
      onDatabase(server, async (database, client) => {
        const isolation = (level: string) => ask(server, `SET GLOBAL TRANSACTION ISOLATION LEVEL ${level}`)
        await isolation('READ COMMITTED')
        try {
          await client.query('BEGIN; INSERT INTO staff VALUES (10, 3)')
          const erased = database.erase('staff', [1], { cascade: 'follow', lockTimeoutMs: 20_000 })
          await untilWaiting(server)
          await client.query('COMMIT')
          expect(await erased).toMatchObject({ rows: 4 })
          expect((await client.query('SELECT id FROM staff'))[0]).toEqual([])
        } finally {
          await isolation('REPEATABLE READ')
        }
      }))

    it('joins the transaction of a given client, and leaves its settings unchanged', () =>
      onDatabase(server, async (database, client) => {
        const { url } = database
        await database.release()
        const attached = await attach(client)
        const [before] = await client.query(
          'SELECT @@sql_mode, @@foreign_key_checks, @@innodb_lock_wait_timeout',
        )
        await client.query('START TRANSACTION; INSERT INTO staff VALUES (11, 3)')
        expect(await attached.erase('staff', [3], { cascade: 'follow' })).toMatchObject({ rows: 2 })
        await expect(attached.erase('staff', [1], { cascade: 'declared' })).rejects.toMatchObject({
          code: 'erase',
        })
        expect((await client.query('SELECT id FROM staff'))[0]).toHaveLength(2)
        expect(
          (await client.query('SELECT @@sql_mode, @@foreign_key_checks, @@innodb_lock_wait_timeout'))[0],
        ).toEqual(before)
        await client.query('ROLLBACK')
        expect((await client.query('SELECT id FROM staff'))[0]).toHaveLength(3)
        await attached.release()
        expect(url).not.toBe('')
      }))

    it('drops no archive table in which another session has archived rows', () =>
      onDatabase(server, async (database, client) => {
        await client.query('INSERT INTO staff VALUES (4, NULL)')
        await client.query('BEGIN')
        await client.query('UPDATE staff SET boss = NULL WHERE id = 3')
        const options = { cascade: 'follow', archive: true, onDelete: { 'staff.boss': 'restrict' } } as const
        const blocked = database.erase('staff', [3], { ...options, lockTimeoutMs: 2000 })
        await new Promise((resolve) => setTimeout(resolve, 700))
        await eraseFrom(database.url, 'staff', [4], options)
        await expect(blocked).rejects.toMatchObject({ code: 'blocked' })
        await client.query('ROLLBACK')
        expect((await client.query('SELECT id FROM staff_archive'))[0]).toEqual([{ id: 4 }])
        await expect(database.erase('staff', [1], options)).rejects.toMatchObject({ code: 'erase' })
        expect((await client.query('SELECT id FROM staff_archive'))[0]).toEqual([{ id: 4 }])
      }))

    it('does not commit the transaction of a client by creating an archive table', () =>
      onDatabase(server, async (database, client) => {
        await database.release()
        const attached = await attach(client)
        await client.query('START TRANSACTION; UPDATE staff SET boss = NULL')
        await expect(attached.erase('big', sql`1 = 1`, { archive: true })).rejects.toMatchObject({
          code: 'usage',
          message: expect.stringContaining('commit the transaction'),
        })
        await client.query('ROLLBACK')
        expect((await client.query('SELECT id FROM staff WHERE boss IS NULL'))[0]).toHaveLength(1)
        await attached.release()
      }))

    it('limits the lock wait of a plain statement', () =>
      onDatabase(server, async (database, client) => {
        await client.query("START TRANSACTION; UPDATE big SET code = 'x'")
        const begun = performance.now()
        await expect(database.erase('big', { code: '7' }, { lockTimeoutMs: 1000 })).rejects.toMatchObject({
          code: 'blocked',
        })
        expect(performance.now() - begun).toBeLessThan(10_000)
        await client.query('ROLLBACK')
      }))

    it('erases dates that are no longer valid, also in batches', () =>
      onDatabase(server, async (database, client) => {
        await client.query(
          "SET sql_mode = ''; CREATE TABLE days (day datetime PRIMARY KEY); INSERT INTO days VALUES (0), ('2024-01-01')",
        )
        expect(await eraseFrom(database.url, 'days', sql`1 = 1`, { batch: 1 })).toMatchObject({ rows: 2 })
      }))

    it('distinguishes rows without a primary key by their bytes', () =>
      onDatabase(server, async (database, client) => {
        await client.query(
          "CREATE TABLE tags (tag varchar(9)); INSERT INTO tags VALUES ('a'), ('A'), ('á'), ('a ')",
        )
        const where = sql`tag = BINARY ${'a'}`
        expect(await eraseFrom(database.url, 'tags', where, { batch: 1 })).toMatchObject({ rows: 1 })
        expect((await client.query('SELECT tag FROM tags'))[0]).toHaveLength(3)
      }))

    it('reports errors of the condition with set null on a self reference too', () =>
      onDatabase(server, async (database, client) => {
        await client.query('CREATE TABLE two (id int); INSERT INTO two VALUES (1), (2)')
        const options = { cascade: 'follow', onDelete: { 'staff.boss': 'set null' } } as const
        for (const where of [sql`(id = (SELECT id FROM two)) IS NULL`, sql`CAST('x' AS SIGNED) = 0`]) {
          await expect(database.erase('staff', where, options)).rejects.toMatchObject({ name: 'EraseError' })
        }
        expect((await client.query('SELECT id FROM staff'))[0]).toHaveLength(3)
        const report = await database.erase('staff', sql`id < ${3}`, options)
        expect(report.tables).toEqual([expect.objectContaining({ deleted: 2, changed: 1 })])
      }))

    it('refuses a dry run of what cannot be rolled back', () =>
      onDatabase(server, async (database) => {
        await expect(database.erase('plain', [1], { dryRun: true })).rejects.toMatchObject({
          code: 'usage',
          message: expect.stringContaining('plain cannot be rolled back'),
        })
        expect(await database.erase('plain', [1])).toMatchObject({ rows: 1 })
      }))
  })
}

describeOn('mariadb:11.8', (server) => {
  it('leaves the history of a system-versioned table to the server', async () => {
    await using harness = await createHarness({
      server: existing(server.url),
      migrate: ({ url }) =>
        ask(
          { ...server, url },
          `CREATE TABLE p (id int PRIMARY KEY, v int) WITH SYSTEM VERSIONING;
           CREATE TABLE c (id int PRIMARY KEY, p int, FOREIGN KEY (p) REFERENCES p (id));
           INSERT INTO p VALUES (1, 1), (2, 1); INSERT INTO c VALUES (1, 1), (2, 2)`,
        ).then(() => {}),
    })
    await using database = await harness.lease()
    expect(await database.erase('p', [1], { cascade: 'follow' })).toMatchObject({ rows: 2 })
    const run = (text: string) => ask({ ...server, url: database.url }, text)
    expect(await run('SELECT id FROM p')).toEqual([{ id: 2 }])
    expect(await run('SELECT id FROM p FOR SYSTEM_TIME ALL ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }])
  })
})
