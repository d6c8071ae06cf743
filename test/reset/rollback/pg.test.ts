import { EventEmitter } from 'node:events'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { Harness, TestDatabase } from '../../../src/index.ts'
import { describeOn } from '../../support/servers.ts'
import { harnessOn, POSTGRES } from './support.ts'

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
    // The leftovers of a failed test must not affect the next one.
    afterEach(async () => void (await database.reset().catch(() => {})))

    async function clientIn(): Promise<pg.Client> {
      const client = new pg.Client({ connectionString: database.url })
      await client.connect()
      await database.begin(client)
      return client
    }

    it('checks deferred constraints when the server would: at COMMIT, or after a single statement', async () => {
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

    it('commits the transaction that AND CHAIN begins after a failed one', async () => {
      const client = await clientIn()
      await client.query('BEGIN')
      await expect(client.query('SELECT nonsense')).rejects.toMatchObject({ code: '42703' })
      await client.query('ROLLBACK AND CHAIN; INSERT INTO orders (buyer) VALUES (1); COMMIT')
      expect((await client.query('SELECT buyer FROM orders')).rows).toEqual([{ buyer: 1 }])
      expect((await database.reset()).rollback).toEqual(HELD)
      await client.end()
    })

    it('fails a test that leaves a deferred constraint violated, and restores the baseline', async () => {
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

    it('fails a test that its own deferred constraint trigger rejects, whatever the error', async () => {
      const client = await clientIn()
      await client.query(
        `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused by a trigger'; END $$`,
      )
      await client.query(
        'CREATE CONSTRAINT TRIGGER late AFTER INSERT ON log DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()',
      )
      await expect(client.query(`INSERT INTO log VALUES ('x')`)).rejects.toThrow(/refused by a trigger/)
      await client.query('BEGIN; SET CONSTRAINTS ALL DEFERRED')
      await client.query(`INSERT INTO log VALUES ('x')`)
      await expect(database.reset()).rejects.toThrow(/refused by a trigger/)
      expect(await database.verify()).toEqual([])
      await client.query('BEGIN')
      await client.query(`INSERT INTO log VALUES ('no trigger any more')`)
      await client.query('COMMIT')
      await database.reset()
      await client.end()
    })

    it('returns the command tags of the server, by promise, callback and query object', async () => {
      const client = await clientIn()
      const commands = [
        'BEGIN',
        'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE',
        'COMMIT',
        'START TRANSACTION',
        'ABORT',
      ]
      const replies: string[] = []
      for (const sql of commands) replies.push((await client.query(sql)).command)
      expect(replies).toEqual(['BEGIN', 'SET', 'COMMIT', 'BEGIN', 'ROLLBACK'])
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

    it('uses one connection of a pool', async () => {
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

    it('reports that a test needs two connections at once', async () => {
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

    it('runs queries that were not awaited before the rollback', async () => {
      const pool = new pg.Pool({ connectionString: database.url })
      await database.begin(pool)
      const lines = ['one', 'two', 'three']
      const unawaited = lines.map((line) => pool.query('INSERT INTO log VALUES ($1) RETURNING line', [line]))
      expect((await database.reset()).rollback).toEqual(HELD)
      expect((await Promise.all(unawaited)).map(({ rows }) => rows[0].line)).toEqual(lines)
      expect((await pool.query('SELECT * FROM log')).rows).toEqual([])
      expect(await database.verify()).toEqual([])
      expect([pool.totalCount, pool.idleCount]).toEqual([1, 1])
      await pool.end()
    })

    it('refuses clients after the end, and revokes one that a test has kept', async () => {
      const pool = new pg.Pool({ connectionString: database.url })
      await database.begin(pool)
      const kept = await pool.connect()
      await kept.query('BEGIN')
      const late = expect(pool.connect()).rejects.toThrow(/test ended/)
      const unawaited = pool.query(`INSERT INTO log VALUES ('x')`)
      expect((await database.reset()).rollback).toEqual(HELD)
      await late
      await unawaited
      await expect(kept.query(`INSERT INTO log VALUES ('after the end')`)).rejects.toThrow(/closed/)
      await database.begin(pool)
      const next = await pool.connect()
      expect(next).not.toBe(kept)
      kept.release()
      await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: 'blocked' })
      next.release()
      expect((await database.reset()).rollback).toEqual(HELD)
      expect(await database.verify()).toEqual([])
      await pool.end()
    })

    it('returns a client of another class to its pool', async () => {
      /** The part of a client that a pool needs. */
      class Wrapped extends EventEmitter {
        readonly _queryable = true
        readonly #client: pg.Client
        constructor(config: pg.ClientConfig) {
          super()
          this.#client = new pg.Client(config)
        }
        connect(done: (error: Error) => void) {
          this.#client.connect(done)
        }
        query(sql: string, values: unknown[], done: (error: Error, result: pg.QueryResult) => void) {
          this.#client.query(sql, values, done)
        }
        end(done: (error: Error) => void) {
          this.#client.end(done)
        }
      }
      const Client = Wrapped as unknown as new () => pg.Client
      const pool = new pg.Pool({ connectionString: database.url, max: 1, Client })
      await expect(database.begin(pool)).rejects.toMatchObject({ code: 'usage' })
      expect((await pool.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }])
      await pool.end()
    })

    it('treats a failed transaction as open', async () => {
      const client = new pg.Client({ connectionString: database.url })
      await client.connect()
      await client.query('BEGIN')
      await expect(client.query('SELECT nonsense')).rejects.toMatchObject({ code: '42703' })
      await expect(database.begin(client)).rejects.toThrow(/inside a transaction/)
      await client.end()
    })

    it('ends although the test has ended the pool', async () => {
      const pool = new pg.Pool({ connectionString: database.url })
      await database.begin(pool)
      await pool.query(`INSERT INTO log VALUES ('x')`)
      await pool.end()
      expect((await database.reset()).rollback).toEqual(HELD)
      expect(await database.verify()).toEqual([])
    })
  })
}
