import mysql2 from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Connection } from '../../../src/engine/connection.ts'
import { AfreshError, RefusedError, ResetError } from '../../../src/errors.ts'
import { Bench, onEachServer } from './support.ts'

const TWO = `CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, v INT); CREATE TABLE b (id INT PRIMARY KEY, v INT);
  INSERT INTO b VALUES (1, 1), (2, 2);`

const SETTINGS = `SELECT @@autocommit, @@foreign_key_checks, @@sql_mode, @@sql_safe_updates, @@sql_select_limit,
  @@time_zone, @@innodb_lock_wait_timeout, @@lock_wait_timeout, @@character_set_client, @@collation_connection`

describe('faults', () => {
  onEachServer((server) => {
    let bench: Bench
    beforeAll(async () => {
      bench = await Bench.on(server)
    })
    afterAll(() => bench.close())

    async function failure(promise: Promise<unknown>): Promise<Error> {
      return promise.then(
        () => {
          throw new Error('it did not fail')
        },
        (error: unknown) => error as Error,
      )
    }

    it.each([
      ['scan', 'wait for transactions that have written'],
      ['counters', 'delete from a'],
    ] as const)('waits for open transactions, and names any that remain (%s)', async (detector, step) => {
      const { connection, name } = await bench.database(TWO)
      const { resetter } = await bench.prepare(connection, undefined, { lockTimeoutMs: 1000, detector })
      const straggler = await bench.connect(name)
      const [row] = await straggler.query('SELECT CONNECTION_ID() AS id')
      await straggler.query('START TRANSACTION; INSERT INTO a (v) VALUES (42)')
      const before = await connection.query(SETTINGS)
      const error = await failure(resetter.reset())
      expect(error).toBeInstanceOf(ResetError)
      expect((error as ResetError).code).toBe('blocked')
      expect(error.message).toContain(step)
      expect(error.message).toContain(`connection ${row?.id} `)
      expect(await connection.query(SETTINGS)).toEqual(before)

      const later = resetter.reset()
      await straggler.query('DO SLEEP(0.2); COMMIT')
      expect((await later).dirty).toContain('`a`')
      expect(await connection.query('SELECT * FROM a')).toEqual([])
      await resetter.close()
    })

    it('does not wait for a read-only transaction', async () => {
      const { connection, name } = await bench.database(TWO)
      const { resetter } = await bench.prepare(connection, undefined, { lockTimeoutMs: 1000 })
      const reader = await bench.connect(name)
      await connection.query('INSERT INTO b VALUES (3, 3)')
      await reader.query('START TRANSACTION; SELECT * FROM b')
      expect((await resetter.reset()).dirty).toEqual(['`b`'])
      await resetter.close()
    })

    it('refuses a missing or different mark, and changes nothing', async () => {
      const { connection } = await bench.database(TWO)
      const { resetter, program } = await bench.prepare(connection, undefined)
      await connection.query('INSERT INTO a (v) VALUES (1)')
      await bench.engine.ownership.write(connection, `${program.claim?.mark}0`)
      expect(await failure(resetter.reset())).toBeInstanceOf(RefusedError)
      await connection.query('DELETE FROM afresh_registry.marks WHERE database_name = DATABASE()')
      expect(await failure(resetter.reset())).toBeInstanceOf(RefusedError)
      expect(await failure(resetter.detect())).toBeInstanceOf(RefusedError)
      expect(await connection.query('SELECT v FROM a')).toEqual([{ v: 1 }])
      await bench.engine.ownership.write(connection, program.claim?.mark ?? '')
      expect((await resetter.reset()).dirty).toContain('`a`')
      await connection.query('USE mysql')
      expect(await failure(resetter.reset())).toBeInstanceOf(RefusedError)
      await connection.query(`USE \`${connection.database}\``)
      await resetter.close()
    })

    it('refuses a mark of another server or of another database', async () => {
      const { connection } = await bench.database(TWO)
      const { server: id, database } = await bench.engine.ownership.expected(connection)
      for (const mark of [`afresh:v1:other:${database}:00`, `afresh:v1:${id}:other:00`]) {
        await bench.engine.ownership.write(connection, mark)
        expect(await failure(bench.prepare(connection, undefined))).toBeInstanceOf(RefusedError)
      }
    })

    it('drops only a database with the given mark, even with open sessions', async () => {
      const { connection, name } = await bench.database(TWO)
      const mark = (await bench.engine.ownership.read(connection)) ?? ''
      expect(await failure(bench.databases.drop(bench.admin, name, `${mark}0`))).toBeInstanceOf(RefusedError)
      expect(await connection.query('SELECT COUNT(*) AS n FROM b')).toEqual([{ n: '2' }])
      expect(await bench.databases.sessions(bench.admin, name)).toHaveLength(1)
      await connection.query('START TRANSACTION; INSERT INTO a (v) VALUES (1)')
      await bench.databases.drop(bench.admin, name, mark)
      expect((await bench.databases.list(bench.admin)).map((entry) => entry.name)).not.toContain(name)
    })

    it('stores the mark of an adopted database in that database, but not in its schema', async () => {
      const name = `people_${process.pid}_${server.engine}`
      const { connection } = await bench.database(TWO, name)
      const entries = await bench.databases.list(bench.admin)
      expect(entries.find((entry) => entry.name === name)?.mark).toMatch(/^afresh:v1:/)
      const { resetter, program } = await bench.prepare(connection, undefined)
      expect(program.schema.tables.map((table) => table.name)).toEqual(['a', 'b'])
      await connection.query('DELETE FROM b')
      expect((await resetter.reset()).dirty).toEqual(['`b`'])
      await connection.query('DELETE FROM afresh_mark')
      expect(await failure(resetter.reset())).toBeInstanceOf(RefusedError)
      await bench.mark(connection)
      await resetter.close()
      await bench.databases.drop(bench.admin, name, (await bench.engine.ownership.read(connection)) ?? '')
    })

    it('restores the session settings after a failed step, and the next reset restores everything', async () => {
      const { connection } = await bench.database(
        `${TWO} CREATE TABLE c (id INT PRIMARY KEY, v INT); INSERT INTO c VALUES (1, 1), (2, 1);`,
      )
      const { resetter, program } = await bench.prepare(connection, undefined)
      const baseline = await bench.engine.fingerprint(connection, program.schema)
      await connection.query("SET sql_mode = 'ANSI_QUOTES', sql_safe_updates = 1, time_zone = '+05:00'")
      const before = await connection.query(SETTINGS)
      await connection.query(
        'INSERT INTO a (v) VALUES (1); UPDATE b SET v = 9 WHERE id = 1; TRUNCATE TABLE c',
      )
      await connection.query('ALTER TABLE c ADD CONSTRAINT once UNIQUE (v)')
      const error = await failure(resetter.reset())
      // The step failed, and the error names the change to the table that caused it.
      expect(error).toMatchObject({ code: 'plan', message: expect.stringMatching(/index "once" is new/) })
      expect(await connection.query('SELECT v FROM b WHERE id = 1')).toEqual([{ v: 9 }])
      expect(await connection.query(SETTINGS)).toEqual(before)
      await connection.query('ALTER TABLE c DROP INDEX once')
      await resetter.reset()
      expect(await bench.engine.fingerprint(connection, program.schema)).toEqual(baseline)
      await resetter.close()
    })

    it('recreates triggers that an interrupted reset dropped', async () => {
      const { connection, name } = await bench.database(
        `CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1); CREATE TABLE log (id INT);
         CREATE TABLE later (id INT PRIMARY KEY, v INT); INSERT INTO later VALUES (1, 1);
         CREATE TRIGGER watch AFTER DELETE ON t FOR EACH ROW INSERT INTO log VALUES (OLD.id);`,
      )
      const { resetter } = await bench.prepare(connection, undefined, { lockTimeoutMs: 20_000 })
      const triggers = async (through: Connection) =>
        (
          await through.query(
            'SELECT trigger_name AS name FROM information_schema.triggers WHERE trigger_schema = DATABASE()',
          )
        ).map((row) => row.name)
      await connection.query('UPDATE t SET v = 2; UPDATE later SET v = 2')
      const [own] = await connection.query('SELECT CONNECTION_ID() AS id')
      const second = await bench.connect(name)
      const holder = await bench.connect(name)
      // A shared row lock is not a write, so it blocks the reset only when that row is deleted.
      await holder.query('START TRANSACTION; SELECT * FROM later LOCK IN SHARE MODE')
      const cut = failure(resetter.reset())
      while ((await triggers(second)).length > 0) await new Promise((resolve) => setTimeout(resolve, 20))
      await bench.admin.query(`KILL ${own?.id}`)
      expect(await cut).toMatchObject({ code: 'server' })
      await holder.query('ROLLBACK')
      const again = await bench.prepare(second, undefined, { lockTimeoutMs: 1000 })
      expect(await triggers(second)).toEqual(['watch'])
      expect(await second.query('SELECT COUNT(*) AS n FROM log')).toEqual([{ n: '0' }])

      await second.query('UPDATE t SET v = 3; UPDATE later SET v = 3')
      await holder.query('START TRANSACTION; SELECT * FROM later LOCK IN SHARE MODE')
      const blocked = await failure(again.resetter.reset())
      expect(blocked).toMatchObject({ code: 'blocked', failed: { table: 'later' } })
      expect(await triggers(second)).toEqual(['watch'])
      await holder.query('ROLLBACK')
      expect((await again.resetter.reset()).dirty).toEqual(['`later`', '`t`'])
      expect(await triggers(second)).toEqual(['watch'])
      expect(await second.query('SELECT COUNT(*) AS n FROM log')).toEqual([{ n: '0' }])
      await again.resetter.close()
    })

    it('works through clients of the user, and leaves their sessions unchanged', async () => {
      const { name } = await bench.database(TWO)
      const options = { uri: bench.urlOf(name), multipleStatements: true }
      const pool = mysql2.createPool({ ...options, connectionLimit: 2, rowsAsArray: true })
      const single = await mysql2.createConnection({ ...options, dateStrings: false })
      const { connection: callbacks } = single as unknown as { connection: unknown }
      for (const client of [pool, pool.pool, single, callbacks]) {
        const connection = bench.engine.wrap(client)
        if (connection === undefined) throw new Error('the client was not recognised')
        expect(await bench.engine.isServerOf(connection)).toBe(true)
        await single.query(
          "SET sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI', time_zone = '+03:00', lock_wait_timeout = 77",
        )
        const [before] = await single.query(SETTINGS)
        const { resetter } = await bench.prepare(connection, undefined)
        await single.query('INSERT INTO a (v) VALUES (1); UPDATE b SET v = 0')
        expect((await resetter.reset()).dirty).toContain('`a`')
        expect((await single.query(SETTINGS))[0]).toEqual(before)
        expect((await single.query('SELECT @afresh_0 AS x, @afresh_at AS y'))[0]).toEqual([
          { x: null, y: null },
        ])
        await resetter.close()
        await connection.close()
      }
      expect(bench.engine.wrap({})).toBeUndefined()
      const narrow = await mysql2.createConnection({ uri: bench.urlOf(name) })
      const refused = bench.engine.wrap(narrow)
      await expect(refused?.query('SELECT 1')).rejects.toThrow(/multipleStatements/)
      for (const client of [pool, single, narrow]) await client.end()
    })

    it('explains connection failures, without the password', async () => {
      const url = new URL(server.url)
      const variant = (change: Partial<URL>) =>
        bench.engine.connect(Object.assign(new URL(url), change).toString(), { timeoutMs: 2000 })
      for (const [change, code, text] of [
        [{ password: 's3cret' }, 'server', /does not let "root" in/],
        [{ pathname: '/nowhere' }, 'server', /has no database "nowhere"/],
        [{ port: '1' }, 'server', /No server is listening/],
        [{ hostname: 'no.such.host.invalid' }, 'server', /is not known/],
      ] as const) {
        const error = await failure(variant(change))
        expect(error).toBeInstanceOf(AfreshError)
        expect((error as AfreshError).code).toBe(code)
        expect(error.message).toMatch(text)
        expect(error.message).not.toContain('s3cret')
      }
      const error = await failure(bench.engine.connect('mysql//root:s3cret@x'))
      expect((error as AfreshError).code).toBe('usage')
      expect(error.message).not.toContain('s3cret')
    })

    it('runs scripts, and reports file, line and statement of a failure', async () => {
      const { connection, name } = await bench.database('CREATE TABLE t (id INT PRIMARY KEY);')
      const inserts = Array.from({ length: 500 }, (_, n) => `INSERT INTO t VALUES (${n});`).join('\n')
      await connection.script(`SET sql_mode = 'ANSI';\n${inserts}`, 'rows.sql')
      expect(await connection.query('SELECT COUNT(*) AS n FROM t')).toEqual([{ n: '500' }])
      const error = await failure(
        connection.script('-- one\nINSERT INTO t VALUES (1000);\nINSERT INTO t VALUES (1000);', 'x.sql'),
      )
      expect(error.message).toMatch(/x\.sql:3: Duplicate entry/)
      expect((error as AfreshError).code).toBe('baseline')
      for (const sql of [
        'DROP DATABASE mysql',
        `/*!40000 DROP DATABASE IF EXISTS \`${name}\`*/`,
        'CREATE SCHEMA x',
      ]) {
        expect((await failure(connection.script(`${sql};`, 'y.sql'))).message).toMatch(
          /a database of its own/,
        )
      }
    })

    it('holds locks by name as long as the connection lives', async () => {
      const { databases } = bench
      const { name } = await bench.database('')
      const holder = await bench.connect(name)
      const key = `a key ${'long '.repeat(40)}${name}`
      expect(await databases.tryLock(holder, key)).toBe(true)
      expect(await databases.tryLock(bench.admin, key)).toBe(false)
      expect(await databases.isLocked(bench.admin, key)).toBe(true)
      expect(await databases.tryLock(bench.admin, `${key}2`)).toBe(true)
      await databases.unlock(bench.admin, `${key}2`)
      await databases.unlock(holder, key)
      expect(await databases.isLocked(bench.admin, key)).toBe(false)
    })

    it('needs no more privileges than on `afresh\\_%`, and reports missing ones', async () => {
      const { admin } = bench
      await admin.query(
        "CREATE USER IF NOT EXISTS modest IDENTIFIED BY 'modest'; CREATE USER IF NOT EXISTS poor IDENTIFIED BY 'poor'",
      )
      await admin.query('GRANT ALL ON `afresh\\_%`.* TO modest')
      const template = await bench.database(`${TWO} CREATE TABLE log (n INT);
        CREATE DEFINER = modest TRIGGER watch AFTER DELETE ON b FOR EACH ROW INSERT INTO log VALUES (1);`)
      await bench.databases.freeze(admin, template.name)
      const as = (user: string, database: string) =>
        bench.engine.connect(
          Object.assign(new URL(bench.urlOf(database)), { username: user, password: user }).toString(),
        )
      const server = await as('modest', template.name)
      expect((await bench.databases.facts(server)).mayCreateDatabases).toBe(true)
      const name = bench.newName('modest')
      await bench.databases.clone(server, template.name, name)
      const connection = await as('modest', name)
      const mark = await bench.mark(connection)
      for (const from of [template.name, undefined]) {
        const { resetter } = await bench.prepare(connection, from, { lockTimeoutMs: 1000 })
        await connection.query('DELETE FROM b; INSERT INTO a (v) VALUES (1)')
        expect((await resetter.reset()).dirty).toEqual(['`a`', '`b`', '`log`', 'auto_increment `a`'])
        expect(await resetter.detect()).toEqual([])
        await admin.query(`START TRANSACTION; INSERT INTO \`${name}\`.a (v) VALUES (5)`)
        expect(await failure(resetter.reset())).toMatchObject({ code: 'blocked' })
        await admin.query('ROLLBACK')
        await resetter.close()
      }
      await admin.query(`GRANT ALL ON \`${name}\`.* TO poor; GRANT SELECT ON afresh_registry.* TO poor`)
      const poor = await as('poor', name)
      expect((await bench.databases.facts(poor)).mayCreateDatabases).toBe(false)
      expect((await failure(bench.prepare(poor, undefined))).message).toMatch(/GRANT ALL ON/)
      await bench.databases.drop(server, name, mark)
      for (const candidate of [server, connection, poor]) await candidate.close()
      await admin.query('DROP USER modest, poor')
    })

    it('times out on a server that does not respond', async () => {
      const { createServer } = await import('node:net')
      const mute = createServer(() => {}).listen(0, '127.0.0.1')
      await new Promise((resolve) => mute.once('listening', resolve))
      const address = mute.address()
      const port = typeof address === 'object' ? address?.port : 0
      const started = Date.now()
      const error = await failure(
        bench.engine.connect(`mysql://root@127.0.0.1:${port}/x`, { timeoutMs: 300 }),
      )
      expect(error.message).toMatch(/no answer within 300 ms/)
      expect(Date.now() - started).toBeLessThan(3000)
      mute.close()
    })

    it('identifies the server', async () => {
      const facts = await bench.databases.facts(bench.admin)
      expect(facts).toMatchObject({ standby: false, mayCreateDatabases: true })
      expect(facts.systemIdentifier).toMatch(/^[0-9a-f-]{32,36}$/)
      expect((await bench.databases.facts(await bench.connect('mysql'))).systemIdentifier).toBe(
        facts.systemIdentifier,
      )
    })
  })
})
