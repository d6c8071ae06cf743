import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Harness, TestDatabase } from '../../../src/index.ts'
import { ask } from '../../support/ask.ts'
import { describeOn } from '../../support/servers.ts'
import { type Client, clientOf, harnessOn, MYSQL, names, POSTGRES } from './support.ts'

const HELD = { held: true, lost: undefined, escaped: [] }

for (const id of [...POSTGRES, ...MYSQL]) {
  describeOn(id, (server) => {
    let harness: Harness
    let database: TestDatabase
    let client: Client

    beforeAll(async () => {
      harness = await harnessOn(server)
      database = await harness.lease()
    })
    afterAll(() => harness.close())
    beforeEach(async () => {
      client = await clientOf(server, database)
      await database.begin(client.handle)
    })
    afterEach(async () => {
      await database.reset().catch(() => {})
      expect(await database.verify()).toEqual([])
      await client[Symbol.asyncDispose]()
    })

    const elsewhere = (sql: string) => ask({ ...server, url: database.url }, sql)

    it('rolls everything back, and the next id is that of the baseline', async () => {
      for (const round of [1, 2]) {
        await client.run(`INSERT INTO users (name) VALUES ('round ${round}')`)
        await client.run(`UPDATE users SET name = 'changed' WHERE id = 1`)
        await client.run('INSERT INTO orders (buyer) VALUES (2)')
        expect(await names(client)).toEqual(['changed', `round ${round}`])
        expect(await client.run('SELECT MAX(id) AS id FROM users')).toEqual([{ id: 2 }])
        const report = await database.reset()
        expect(report.rollback).toEqual(HELD)
        expect(report.steps.map(({ kind }) => kind)).toEqual(['restart', 'restart'])
        expect(await database.verify()).toEqual([])
        await database.begin(client.handle)
      }
    })

    it('restores the client', async () => {
      await client.run('BEGIN')
      await client.run(`INSERT INTO users (name) VALUES ('left open')`)
      const report = await database.reset()
      expect(report.rollback).toEqual(HELD)
      expect(Object.keys(client.handle)).not.toContain('query')
      expect(await names(client)).toEqual(['Ada'])
      await client.run('BEGIN')
      await client.run(`INSERT INTO users (name) VALUES ('kept')`)
      await client.run('COMMIT')
      expect(await elsewhere('SELECT name FROM users ORDER BY id')).toMatchObject([
        { name: 'Ada' },
        { name: 'kept' },
      ])
      expect((await database.reset()).rollback).toBeUndefined()
    })

    it('supports transactions inside', async () => {
      await client.run('BEGIN')
      await client.run(`INSERT INTO users (name) VALUES ('gone')`)
      await client.run('ROLLBACK')
      await client.run('START TRANSACTION')
      await client.run(`INSERT INTO users (name) VALUES ('stays')`)
      await client.run('SAVEPOINT one')
      await client.run(`INSERT INTO users (name) VALUES ('gone')`)
      await client.run('ROLLBACK TO SAVEPOINT one')
      await client.run('COMMIT')
      expect(await names(client)).toEqual(['Ada', 'stays'])
      await client.run('ROLLBACK')
      expect(await names(client)).toEqual(['Ada', 'stays'])
      expect(await elsewhere('SELECT name FROM users')).toHaveLength(1)
      expect((await database.reset()).rollback).toEqual(HELD)
    })

    it('continues after an error, inside and outside of a transaction', async () => {
      await client.run(`INSERT INTO users (name) VALUES ('first')`)
      await expect(client.run(`INSERT INTO users (name) VALUES ('first')`)).rejects.toThrow(/dup/i)
      expect(await names(client)).toEqual(['Ada', 'first'])
      await client.run('BEGIN')
      await client.run(`INSERT INTO users (name) VALUES ('second')`)
      await client.run('SAVEPOINT here')
      await expect(client.run(`INSERT INTO users (name) VALUES ('Ada')`)).rejects.toThrow(/dup/i)
      await client.run('ROLLBACK TO SAVEPOINT here')
      await client.run('COMMIT')
      expect(await names(client)).toEqual(['Ada', 'first', 'second'])
      await client.run('BEGIN')
      await client.run('DELETE FROM users')
      await expect(client.run('SELECT nonsense')).rejects.toThrow()
      await client.run('ROLLBACK')
      expect(await names(client)).toEqual(['Ada', 'first', 'second'])
      expect((await database.reset()).rollback).toEqual(HELD)
    })

    it('recognizes transactions in messages of several statements, and in prepared statements', async () => {
      await client.run(
        `BEGIN; INSERT INTO users (name) VALUES ('a;COMMIT'); ROLLBACK; BEGIN /* x */; SELECT 1`,
      )
      await client.prepared('COMMIT', [])
      await client.prepared(server.engine === 'postgres' ? 'SELECT $1::int AS n' : 'SELECT ? AS n', [1])
      await client.run(`INSERT INTO log VALUES ('ROLLBACK; COMMIT')`)
      expect(await client.run('SELECT * FROM log')).toEqual([{ line: 'ROLLBACK; COMMIT' }])
      expect(await names(client)).toEqual(['Ada'])
      expect((await database.reset()).rollback).toEqual(HELD)
    })

    it('keeps the order of statements that are not awaited', async () => {
      const sent = [
        'BEGIN',
        `INSERT INTO users (name) VALUES ('a')`,
        'COMMIT',
        'BEGIN',
        `INSERT INTO users (name) VALUES ('b')`,
        `INSERT INTO users (name) VALUES ('a')`,
        'ROLLBACK',
        `INSERT INTO users (name) VALUES ('c')`,
      ].map((sql) => client.run(sql))
      expect((await Promise.allSettled(sent)).map(({ status }) => status)).toEqual([
        ...Array(5).fill('fulfilled'),
        'rejected',
        ...Array(2).fill('fulfilled'),
      ])
      expect(await names(client)).toEqual(['Ada', 'a', 'c'])
      const unawaited = client.run(`INSERT INTO users (name) VALUES ('late')`)
      expect((await database.reset()).rollback).toEqual(HELD)
      await unawaited
    })

    it('detects and reverts what another connection wrote', async () => {
      await client.run(`INSERT INTO log VALUES ('rolled back')`)
      await elsewhere(`INSERT INTO users (name) VALUES ('other')`)
      const report = await database.reset()
      expect(report.rollback).toEqual({ held: true, lost: undefined, escaped: ['users'] })
      expect(await database.verify()).toEqual([])
    })

    it('detects and reverts a COMMIT that bypassed it', async () => {
      await client.run(`INSERT INTO log VALUES ('escaped')`)
      if (server.engine === 'postgres') {
        const { query } = Object.getPrototypeOf(client.handle)
        await query.call(client.handle, 'COMMIT')
      } else {
        await client.run(`PREPARE hidden FROM 'COMMIT'`)
        await client.run('EXECUTE hidden')
      }
      await client.run(`INSERT INTO users (name) VALUES ('escaped too')`)
      expect(await names(client)).toEqual(['Ada', 'escaped too'])
      const report = await database.reset()
      expect(report.rollback).toMatchObject({
        held: false,
        lost: expect.stringMatching(/COMMIT|EXECUTE hidden/),
      })
      expect(new Set(report.rollback?.escaped)).toEqual(new Set(['log', 'users']))
      expect(await database.verify()).toEqual([])
    })

    it('survives a client that the test has closed', async () => {
      await client.run('DELETE FROM users')
      await client[Symbol.asyncDispose]()
      expect((await database.reset()).rollback).toMatchObject({ held: false, escaped: [] })
      client = await clientOf(server, database)
      expect(await names(client)).toEqual(['Ada'])
    })

    it('times out while a query of the test is running', async () => {
      await using other = await clientOf(server, database)
      await other.run('BEGIN')
      await other.run(`UPDATE users SET name = 'locked' WHERE id = 1`)
      const stuck = client.run(`UPDATE users SET name = 'waiting' WHERE id = 1`)
      await expect(database.reset()).rejects.toMatchObject({ code: 'blocked' })
      await other.run('ROLLBACK')
      await stuck
      expect((await database.reset()).rollback).toBeUndefined()
      expect(await database.verify()).toEqual([])
    })

    it('loads fixtures before the transaction, not inside it, and the reset removes them', async () => {
      await expect(database.load('more')).rejects.toThrow(/load: .*only its client sees/)
      await database.reset()
      await database.load('more')
      await database.begin(client.handle)
      expect(await names(client)).toEqual(['Ada', 'Grace'])
      expect((await database.reset()).rollback).toMatchObject({ held: true, escaped: ['users'] })
      expect(await names(client)).toEqual(['Ada'])
    })

    it('refuses unsuitable clients', async () => {
      await expect(database.begin(client.handle)).rejects.toThrow(/still open/)
      await database.reset()
      await expect(database.begin({})).rejects.toMatchObject({ code: 'usage' })
      await client.run('BEGIN')
      await expect(database.begin(client.handle)).rejects.toThrow(/inside a transaction/)
      await client.run('ROLLBACK')
      await using stranger = await clientOf(server, server)
      await expect(database.begin(stranger.handle)).rejects.toThrow(new RegExp(`not to "${database.name}"`))
      expect(await names(client)).toEqual(['Ada'])
    })

    it('ends with the lease', async () => {
      await using other = await harness.lease()
      await using own = await clientOf(server, other)
      await other.begin(own.handle)
      await own.run('DELETE FROM users')
      await other.release()
      expect(await names(own)).toEqual(['Ada'])
      await expect(other.begin(own.handle)).rejects.toThrow(/was released/)
      expect(Object.keys(own.handle)).not.toContain('query')
    })
  })
}
