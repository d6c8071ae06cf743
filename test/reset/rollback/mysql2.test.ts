import mysqlCallbacks from 'mysql2'
import mysql from 'mysql2/promise'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { Harness, TestDatabase } from '../../../src/index.ts'
import { ask } from '../../support/ask.ts'
import { describeOn } from '../../support/servers.ts'
import { harnessOn, MYSQL } from './support.ts'

const HELD = { held: true, lost: undefined, escaped: [] }

for (const id of MYSQL) {
  describeOn(id, (server) => {
    let harness: Harness
    let database: TestDatabase
    beforeAll(async () => {
      harness = await harnessOn(server)
      database = await harness.lease()
    })
    afterAll(() => harness.close())
    // The leftovers of a failed test must not affect the next one.
    afterEach(async () => void (await database.reset().catch(() => {})))

    const count = async (table: string) => {
      const [row] = await ask({ ...server, url: database.url }, `SELECT COUNT(*) AS n FROM ${table}`)
      return Number(row?.n)
    }

    it('detects an implicit commit, names it and restores the database', async () => {
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

    it('names tables without transactions, which a rollback does not restore', async () => {
      const client = await mysql.createConnection(database.url)
      await database.begin(client)
      await client.query(`INSERT INTO jotter VALUES ('x')`)
      await client.query(`INSERT INTO log VALUES ('x')`)
      expect((await database.reset()).rollback).toEqual({ held: true, lost: undefined, escaped: ['jotter'] })
      await client.end()
    })

    it('supports the transaction methods of the connection too, with promises and callbacks', async () => {
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

    it('detects a deadlock, which rolls everything back', async () => {
      const client = await mysql.createConnection(database.url)
      const other = await mysql.createConnection({ uri: database.url, multipleStatements: true })
      await ask({ ...server, url: database.url }, `INSERT INTO users (name) VALUES ('Bert')`)
      await database.begin(client)
      await client.query(`INSERT INTO log VALUES ('lost with it')`)
      await client.query(`UPDATE users SET name = 'x' WHERE id = 1`)
      // The victim of a deadlock is the transaction that has written less.
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

    it('uses one connection of a pool', async () => {
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

    it('runs queries that were not awaited before the rollback', async () => {
      const pool = mysql.createPool(database.url)
      await database.begin(pool)
      const unawaited = [
        pool.query(`INSERT INTO log VALUES ('one')`),
        pool.query(`INSERT INTO log VALUES ('two')`),
        pool.execute('INSERT INTO log VALUES (?)', ['three']),
        pool.query('SELECT COUNT(*) AS n FROM log'),
      ]
      expect((await database.reset()).rollback).toEqual(HELD)
      expect((await Promise.all(unawaited)).at(-1)?.[0]).toEqual([{ n: 3 }])
      expect((await pool.query('SELECT * FROM log'))[0]).toEqual([])
      expect(await database.verify()).toEqual([])
      await pool.end()
    })

    it('refuses connections after the end, and revokes one that a test has kept', async () => {
      const pool = mysql.createPool(database.url)
      await database.begin(pool)
      const kept = await pool.getConnection()
      await kept.beginTransaction()
      const late = expect(pool.getConnection()).rejects.toThrow(/test ended/)
      const unawaited = pool.query(`INSERT INTO log VALUES ('x')`)
      expect((await database.reset()).rollback).toEqual(HELD)
      await late
      await unawaited
      await expect(kept.query(`INSERT INTO log VALUES ('after the end')`)).rejects.toThrow(/closed/)
      await database.begin(pool)
      const next = await pool.getConnection()
      expect(next.threadId).not.toBe(kept.threadId)
      kept.release()
      await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: 'blocked' })
      next.release()
      expect((await database.reset()).rollback).toEqual(HELD)
      expect(await database.verify()).toEqual([])
      await pool.end()
    })

    it('ends although the test has ended the pool', async () => {
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
