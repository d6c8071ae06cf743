import { PGlite } from '@electric-sql/pglite'
import mysqlCallbacks from 'mysql2'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { attach, type Harness, type TestDatabase } from '../../../src/index.ts'
import { ask } from '../../support/ask.ts'
import { describeOn } from '../../support/at-hand.ts'
import { openSqlite } from '../../support/sqlite.ts'
import { harnessOn, MYSQL, POSTGRES } from './support.ts'

const HELD = { held: true, lost: undefined, escaped: [] }

for (const id of POSTGRES) {
  describeOn(id, (server) => {
    let harness: Harness
    let database: TestDatabase
    beforeAll(async () => {
      harness = await harnessOn(server)
      database = await harness.lease()
    })
    afterAll(() => harness.close())
    // Whatever a test that failed has left is not the next one's.
    afterEach(async () => void (await database.reset().catch(() => {})))

    async function clientIn(): Promise<pg.Client> {
      const client = new pg.Client({ connectionString: database.url })
      await client.connect()
      await database.begin(client)
      return client
    }

    it('checks deferred constraints where the server would: at COMMIT, or after a lone statement', async () => {
      const client = await clientIn()
      const orphan = 'INSERT INTO orders (buyer) VALUES (999)'
      await expect(client.query(orphan)).rejects.toMatchObject({ code: '23503' })
      await client.query('BEGIN')
      await client.query(orphan)
      await client.query(`INSERT INTO users (id, name) VALUES (999, 'later')`)
      await client.query('COMMIT')
      await client.query('BEGIN')
      await client.query(`INSERT INTO orders (buyer) VALUES (1000)`)
      await expect(client.query('COMMIT')).rejects.toMatchObject({ code: '23503' })
      expect((await client.query('SELECT buyer FROM orders')).rows).toEqual([{ buyer: 999 }])
      expect((await database.reset()).rollback).toEqual(HELD)
      await client.end()
    })

    it('fails the test that leaves a deferred constraint broken, at the baseline all the same', async () => {
      const client = await clientIn()
      await client.query('BEGIN')
      await client.query('INSERT INTO orders (buyer) VALUES (999)')
      await expect(database.reset()).rejects.toMatchObject({
        code: 'reset',
        message: expect.stringContaining('orders_buyer_fkey'),
      })
      expect(await database.verify()).toEqual([])
      expect((await client.query('SELECT * FROM orders')).rows).toEqual([])
      await client.end()
    })

    it('fails the test that a deferred constraint trigger of its own refuses, whatever the error', async () => {
      const client = await clientIn()
      await client.query(
        `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused by hand'; END $$`,
      )
      await client.query(
        'CREATE CONSTRAINT TRIGGER late AFTER INSERT ON log DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()',
      )
      await expect(client.query(`INSERT INTO log VALUES ('x')`)).rejects.toThrow(/refused by hand/)
      await client.query('BEGIN; SET CONSTRAINTS ALL DEFERRED')
      await client.query(`INSERT INTO log VALUES ('x')`)
      await expect(database.reset()).rejects.toThrow(/refused by hand/)
      expect(await database.verify()).toEqual([])
      await client.query('BEGIN')
      await client.query(`INSERT INTO log VALUES ('no trigger any more')`)
      await client.query('COMMIT')
      await database.reset()
      await client.end()
    })

    it('tells what the server would tell of each command, by promise, callback and query object', async () => {
      const client = await clientIn()
      const commands = [
        'BEGIN',
        'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE',
        'COMMIT',
        'START TRANSACTION',
        'ABORT',
      ]
      const told: string[] = []
      for (const sql of commands) told.push((await client.query(sql)).command)
      expect(told).toEqual(['BEGIN', 'SET', 'COMMIT', 'BEGIN', 'ROLLBACK'])
      const byCallback = await new Promise<pg.QueryResult>((resolve, reject) => {
        client.query({ text: 'BEGIN' }, (error, result) => (error ? reject(error) : resolve(result)))
      })
      expect(byCallback.command).toBe('BEGIN')
      const ended = await new Promise<pg.QueryResult>((resolve, reject) => {
        client.query(new pg.Query('COMMIT')).on('end', resolve).on('error', reject)
      })
      expect(ended.command).toBe('COMMIT')
      const several = (await client.query('BEGIN; SELECT 1 AS n; COMMIT')) as unknown as pg.QueryResult[]
      expect(several.map(({ command }) => command)).toEqual(['BEGIN', 'SELECT', 'COMMIT'])
      expect((await client.query({ text: 'SELECT 1 AS n', rowMode: 'array' })).rows).toEqual([[1]])
      await database.reset()
      await client.end()
    })

    it('refuses a two-phase commit, and keeps a read-only transaction read-only', async () => {
      const client = await clientIn()
      await client.query('BEGIN')
      await expect(client.query(`PREPARE TRANSACTION 'x'`)).rejects.toMatchObject({ code: '0A000' })
      await client.query('ROLLBACK')
      await client.query('BEGIN READ ONLY')
      await expect(client.query(`INSERT INTO log VALUES ('x')`)).rejects.toMatchObject({ code: '25006' })
      await client.query('ROLLBACK')
      await client.query(`INSERT INTO log VALUES ('x')`)
      expect((await database.reset()).rollback).toEqual(HELD)
      await client.end()
    })

    it('has one connection of a pool', async () => {
      const pool = new pg.Pool({ connectionString: database.url, max: 3 })
      await database.begin(pool)
      await pool.query(`INSERT INTO log VALUES ('by the pool')`)
      const transaction = async (line: string, end: string) => {
        const client = await pool.connect()
        await client.query('BEGIN')
        await client.query('INSERT INTO log VALUES ($1)', [line])
        await client.query(end)
        client.release()
      }
      await Promise.all([
        transaction('kept', 'COMMIT'),
        transaction('gone', 'ROLLBACK'),
        transaction('too', 'COMMIT'),
      ])
      const seen = await new Promise((resolve, reject) => {
        pool.query('SELECT line FROM log ORDER BY line', (error, result) =>
          error ? reject(error) : resolve(result.rows.map(({ line }) => line)),
        )
      })
      expect(seen).toEqual(['by the pool', 'kept', 'too'])
      await expect(pool.query('SELECT nonsense')).rejects.toMatchObject({ code: '42703' })
      expect((await database.reset()).rollback).toEqual(HELD)
      expect(Object.keys(pool)).not.toContain('connect')
      expect((await pool.query('SELECT * FROM log')).rows).toEqual([])
      await Promise.all([pool.query('SELECT 1'), pool.query('SELECT 1')])
      expect(pool.totalCount).toBe(2)
      await pool.end()
    })

    it('says so where a test needs two connections at once', async () => {
      const pool = new pg.Pool({ connectionString: database.url })
      await database.begin(pool)
      const client = await pool.connect()
      await client.query('BEGIN')
      await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: 'blocked' })
      await client.query('ROLLBACK')
      client.release()
      expect(() => client.release()).toThrow(/already been released/)
      await pool.query('SELECT 1')
      await database.reset()
      await pool.end()
    })

    it('ends with a pool that the test has ended', async () => {
      const pool = new pg.Pool({ connectionString: database.url })
      await database.begin(pool)
      await pool.query(`INSERT INTO log VALUES ('x')`)
      await pool.end()
      expect((await database.reset()).rollback).toEqual(HELD)
      expect(await database.verify()).toEqual([])
    })
  })
}

for (const id of MYSQL) {
  describeOn(id, (server) => {
    let harness: Harness
    let database: TestDatabase
    beforeAll(async () => {
      harness = await harnessOn(server)
      database = await harness.lease()
    })
    afterAll(() => harness.close())
    // Whatever a test that failed has left is not the next one's.
    afterEach(async () => void (await database.reset().catch(() => {})))

    const count = async (table: string) => {
      const [row] = await ask({ ...server, url: database.url }, `SELECT COUNT(*) AS n FROM ${table}`)
      return Number(row?.n)
    }

    it('notices an implicit commit, names it and puts it right', async () => {
      const client = await mysql.createConnection(database.url)
      await database.begin(client)
      await client.query('BEGIN')
      await client.query(`INSERT INTO users (name) VALUES ('committed')`)
      await client.query('ANALYZE TABLE log')
      await client.query('CREATE TABLE extra (id int)')
      await client.query('DROP TABLE extra')
      await client.query(`INSERT INTO log VALUES ('after')`)
      await client.query('COMMIT')
      expect(await count('users')).toBe(2)
      const { rollback } = await database.reset()
      expect(rollback).toMatchObject({
        held: false,
        lost: expect.stringMatching(/«(ANALYZE TABLE log|CREATE TABLE extra)/),
      })
      expect(new Set(rollback?.escaped)).toEqual(new Set(['users', 'log']))
      expect(await database.verify()).toEqual([])
      await client.end()
    })

    it('names tables without transactions, which a rollback leaves', async () => {
      const client = await mysql.createConnection(database.url)
      await database.begin(client)
      await client.query(`INSERT INTO jotter VALUES ('x')`)
      await client.query(`INSERT INTO log VALUES ('x')`)
      expect((await database.reset()).rollback).toEqual({ held: true, lost: undefined, escaped: ['jotter'] })
      await client.end()
    })

    it('goes by the methods of the connection too, with promises and callbacks', async () => {
      const client = await mysql.createConnection(database.url)
      await database.begin(client)
      await client.beginTransaction()
      await client.execute('INSERT INTO log VALUES (?)', ['gone'])
      await client.rollback()
      await client.beginTransaction()
      await client.execute('INSERT INTO log VALUES (?)', ['kept'])
      await client.commit()
      expect((await client.query('SELECT * FROM log'))[0]).toEqual([{ line: 'kept' }])
      expect((await database.reset()).rollback).toEqual(HELD)
      await client.end()

      const callbacks = mysqlCallbacks.createConnection(database.url)
      await database.begin(callbacks)
      const seen = await new Promise<unknown>((resolve, reject) => {
        callbacks.beginTransaction(() =>
          callbacks.query(`INSERT INTO log VALUES ('x')`, () =>
            callbacks.rollback(() =>
              callbacks.query('SELECT * FROM log', (error, rows) => (error ? reject(error) : resolve(rows))),
            ),
          ),
        )
      })
      expect(seen).toEqual([])
      expect((await database.reset()).rollback).toEqual(HELD)
      expect(await database.verify()).toEqual([])
      callbacks.destroy()
    })

    it('notices a deadlock, which rolls everything back', async () => {
      const client = await mysql.createConnection(database.url)
      const other = await mysql.createConnection({ uri: database.url, multipleStatements: true })
      await ask({ ...server, url: database.url }, `INSERT INTO users (name) VALUES ('Bert')`)
      await database.begin(client)
      await client.query(`INSERT INTO log VALUES ('lost with it')`)
      await client.query(`UPDATE users SET name = 'x' WHERE id = 1`)
      // The one that has written less is the victim.
      await other.query(
        `BEGIN; INSERT INTO log SELECT 'many' FROM information_schema.columns LIMIT 500; UPDATE users SET name = 'y' WHERE id = 2`,
      )
      const waiting = other.query(`UPDATE users SET name = 'z' WHERE id = 1`)
      await expect(client.query(`UPDATE users SET name = 'w' WHERE id = 2`)).rejects.toMatchObject({
        errno: 1213,
      })
      await waiting
      await other.query('ROLLBACK')
      expect((await database.reset()).rollback).toMatchObject({
        held: false,
        lost: expect.stringMatching(/deadlock/),
      })
      expect(await database.verify()).toEqual([])
      await client.end()
      await other.end()
    })

    it('has one connection of a pool', async () => {
      const pool = mysql.createPool({ uri: database.url, connectionLimit: 3 })
      await database.begin(pool)
      await pool.query(`INSERT INTO log VALUES ('by the pool')`)
      const transaction = async (line: string, end: 'commit' | 'rollback') => {
        const connection = await pool.getConnection()
        await connection.beginTransaction()
        await connection.execute('INSERT INTO log VALUES (?)', [line])
        await connection[end]()
        connection.release()
      }
      await Promise.all([
        transaction('kept', 'commit'),
        transaction('gone', 'rollback'),
        transaction('too', 'commit'),
      ])
      const [rows] = await pool.execute('SELECT line FROM log ORDER BY line')
      expect(rows).toEqual([{ line: 'by the pool' }, { line: 'kept' }, { line: 'too' }])
      expect(await count('log')).toBe(0)
      const connection = await pool.getConnection()
      await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: 'blocked' })
      connection.release()
      expect((await database.reset()).rollback).toEqual(HELD)
      const [left] = await pool.query('SELECT * FROM log')
      expect(left).toEqual([])
      await Promise.all([pool.query('SELECT 1'), pool.query('SELECT 1')])
      await pool.end()
    })

    it('ends with a pool that the test has ended', async () => {
      const pool = mysql.createPool(database.url)
      await database.begin(pool)
      await pool.query(`INSERT INTO log VALUES ('x')`)
      await pool.end()
      expect((await database.reset()).rollback).toEqual(HELD)
      expect(await database.verify()).toEqual([])
    })

    it('refuses a connection without autocommit', async () => {
      const client = await mysql.createConnection(database.url)
      await client.query('SET autocommit = 0')
      await expect(database.begin(client)).rejects.toThrow(/autocommit is off/)
      await client.end()
    })
  })
}

describe('strategy rollback', () => {
  it('is refused for a handle in this process', async () => {
    const pglite = await PGlite.create()
    for (const client of [pglite, ...openSqlite().map((one) => one.client)]) {
      await expect(attach(client, { strategy: 'rollback' })).rejects.toMatchObject({ code: 'usage' })
      await using database = await attach(client)
      await expect(database.begin(client)).rejects.toThrow(/was not asked for/)
    }
    await pglite.close()
  })
})
