import { lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createHarness, existing, type HarnessOptions, RefusedError, sql } from '../../src/index.ts'
import { acquireDatabase } from '../../src/runner/core/acquire-database.ts'
import type { RunHandle } from '../../src/runner/core/run-handle.ts'
import { RunStatistics } from '../../src/runner/core/run-statistics.ts'
import { CopiesOfRun } from '../../src/runner/core/service/copies-of-run.ts'
import { openService } from '../../src/runner/core/service/harness-service.ts'
import {
  type Method,
  type Reply,
  receive,
  type ServiceAddress,
  send,
} from '../../src/runner/core/service/messages.ts'
import { ask } from '../support/ask.ts'
import { eventually } from '../support/eventually.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'
import { tapWire } from '../support/wire.ts'

const ROWS = 2_000
const COLUMNS = 'id int PRIMARY KEY, made timestamp NULL, bytes varbinary(9)'
const tables = ({ engine }: ServerAtHand) =>
  [
    `CREATE TABLE users (${engine === 'postgres' ? COLUMNS.replace('varbinary(9)', 'bytea') : COLUMNS})`,
    `INSERT INTO users (id) VALUES ${Array.from({ length: ROWS }, (_, no) => `(${no})`).join(', ')}`,
  ].join('; ')

const reports = { statistics: new RunStatistics(), copies: new CopiesOfRun(0), summary: () => [] }

type ServedHandle = RunHandle & { readonly service: ServiceAddress }

interface Served {
  readonly handle: ServedHandle
  /** Ends the service before its time. */
  close(): Promise<void>
}

async function withService(
  server: ServerAtHand,
  body: (served: Served) => Promise<void>,
  options: HarnessOptions = {},
): Promise<void> {
  await using harness = await createHarness({
    server: existing(server.url),
    migrate: async ({ url }) => void (await ask({ ...server, url }, tables(server))),
    fingerprint: 'service',
    ...options,
  })
  const run = await openService(Promise.resolve({ harness, ...reports }))
  const close = () => run.close()
  const handle = await run.handle()
  const { service } = handle
  try {
    if (service === undefined) throw new Error('no service')
    await body({ handle: { ...handle, service }, close })
  } finally {
    await close()
  }
}

/** A worker of which the test holds the socket. */
async function rawWorker({ service }: ServedHandle, secret = service.secret) {
  const socket: Socket = connect(service.path)
  await new Promise((connected, failed) => socket.once('connect', connected).once('error', failed))
  socket.on('error', () => {})
  const replies: Reply[] = []
  receive(socket, (message) => replies.push(message as Reply))
  let id = 0
  return {
    socket,
    ask: async (method: Method, ...args: unknown[]): Promise<Reply | 'closed'> => {
      const own = ++id
      send(socket, { id: own, secret, method, args, reports: false })
      return eventually(async () => {
        if (socket.destroyed) return 'closed'
        const reply = replies.find((given) => given.id === own)
        if (reply === undefined) throw new Error('no reply yet')
        return reply
      })
    },
  }
}

for (const id of ['postgres:18', 'mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    const idsOf = async (url: string) => (await ask({ ...server, url }, 'SELECT id FROM users')).length

    it('takes a database that was given back in two round trips, whatever was written to it', async () => {
      await using wire = await tapWire(server.url)
      await withService({ ...server, url: wire.url }, async ({ handle }) => {
        const first = await acquireDatabase(handle, { slot: 1 })
        await ask({ ...server, url: first.url }, 'DELETE FROM users WHERE id < 100')
        await first.release()
        wire.count()
        const again = await acquireDatabase(handle, { slot: 1 })
        expect(wire.count()).toBeLessThanOrEqual(2)
        expect(again.url).toBe(first.url)
        expect(await idsOf(again.url)).toBe(ROWS)
        await again.release()
      })
    })

    it('resets, verifies, erases and purges as in place', () =>
      withService(server, async ({ handle }) => {
        const database = await acquireDatabase(handle, { slot: 1 })
        await ask({ ...server, url: database.url }, 'DELETE FROM users WHERE id = 1')
        expect(await database.verify()).toEqual([
          { subject: expect.stringContaining('users'), difference: `has ${ROWS - 1} rows, not ${ROWS}` },
        ])
        expect((await database.reset()).writes).toHaveLength(1)
        expect(await database.verify()).toEqual([])
        expect((await database.erase('users', { id: [1, 2n] })).rows).toBe(2)
        expect((await database.erase('users', sql`id BETWEEN ${10} AND ${12}`)).rows).toBe(3)
        expect((await database.erase('users', { made: new Date(0), bytes: Buffer.from('ab') })).rows).toBe(0)
        const done: number[] = []
        const onProgress = (progress: { readonly done: number }) => done.push(progress.done)
        await database.erase('users', { id: { lt: 20 } }, { batch: 5, onProgress })
        expect(done.at(-1)).toBe(15)
        expect(await idsOf(database.url)).toBe(ROWS - 20)
        await database.release()
      }))

    it('loads a set of fixtures for a worker, which the next reset removes, and names what is wrong in it', async () => {
      const cwd = mkdtempSync(join(tmpdir(), 'afresh-service-'))
      writeFileSync(join(cwd, 'users.csv'), 'id,bytes\n5000,\\x00\n5001,\n')
      writeFileSync(join(cwd, 'wrong.json'), '{"users": [\n{"id": "x"}]}')
      const fixtureSets = { more: 'users.csv', wrong: ['users.csv', 'wrong.json'] }
      await withService(
        server,
        async ({ handle }) => {
          const database = await acquireDatabase(handle, { slot: 1 })
          await database.load('more')
          expect(await idsOf(database.url)).toBe(ROWS + 2)
          await database.reset()
          await expect(database.load('wrong')).rejects.toMatchObject({
            name: 'AfreshError',
            code: 'baseline',
            message: expect.stringMatching(/^wrong\.json:2, table users(, column id)?: /),
          })
          await expect(database.load('mor')).rejects.toThrow(/Is it more\?/)
          expect(await idsOf(database.url)).toBe(ROWS)
          await database.reset()
          expect(await database.verify()).toEqual([])
          await database.release()
        },
        { fixtureSets, cwd },
      )
      rmSync(cwd, { recursive: true })
    })

    it('ends the lease of a worker that is gone, and the next one finds the baseline', () =>
      withService(server, async ({ handle }) => {
        const worker = await rawWorker(handle)
        const reply = await worker.ask('lease', { slot: 1, exact: true })
        const { url } = (reply as { result: { url: string } }).result
        await ask({ ...server, url }, 'DELETE FROM users')
        worker.socket.destroy()
        const next = await acquireDatabase(handle, { slot: 1, exact: true })
        expect(next.url).toBe(url)
        expect(await idsOf(url)).toBe(ROWS)
        await next.release()
      }))
  })
}

describeOn('postgres:18', (server) => {
  it('raises the errors of the session in the worker, with class, code and next step', () =>
    withService(server, async ({ handle }) => {
      const database = await acquireDatabase(handle, { slot: 1 })
      await expect(database.erase('nothing', [1])).rejects.toMatchObject({
        name: 'AfreshError',
        code: 'usage',
        message: expect.stringMatching(/^There is no table .*\n {2}→ /),
      })
      await expect(database.begin({})).rejects.toThrow(/strategy "rollback"/)
      await expect(database.erase('users', { id: (() => 1) as never })).rejects.toMatchObject({
        code: 'usage',
      })
      await ask(server, `COMMENT ON DATABASE ${database.name} IS NULL`)
      await ask({ ...server, url: database.url }, 'DELETE FROM users WHERE id = 1')
      const refused = await database.reset().catch((error: unknown) => error)
      expect(refused).toBeInstanceOf(RefusedError)
      expect(refused).toMatchObject({ code: 'refused', next: expect.any(String) })
      await database.release()
      await expect(database.reset()).rejects.toThrow(/was released/)
    }))

  it('stops an erase in batches that the worker aborts', () =>
    withService(server, async ({ handle }) => {
      const database = await acquireDatabase(handle, { slot: 1 })
      const controller = new AbortController()
      const onProgress = () => controller.abort()
      const erasing = database.erase(
        'users',
        { id: { gte: 0 } },
        { batch: 1, onProgress, signal: controller.signal },
      )
      await expect(erasing).rejects.toMatchObject({
        code: 'erase',
        message: expect.stringMatching(/stopped/i),
      })
      await database.release()
    }))

  it('lets a worker wait for its own slot until the worker before is gone', () =>
    withService(server, async ({ handle }) => {
      const before = await rawWorker(handle)
      await before.ask('lease', { slot: 2, exact: true })
      const waiting = acquireDatabase(handle, { slot: 2, exact: true })
      setTimeout(() => before.socket.destroy(), 200)
      const database = await waiting
      const late = await rawWorker(handle)
      const reply = await late.ask('lease', { slot: 2, exact: true })
      expect(reply).toMatchObject({ error: { code: 'server', message: expect.stringContaining('worker 2') } })
      late.socket.destroy()
      await database.release()
    }))

  it('keeps the databases of workers apart from those of single tests', () =>
    withService(server, async ({ handle }) => {
      const own = await acquireDatabase(handle, { slot: 1 })
      const beside = await acquireDatabase(handle, { slot: 1 })
      const other = await acquireDatabase(handle, { slot: 2 })
      expect(new Set([own.url, beside.url, other.url]).size).toBe(3)
      await beside.release()
      const again = await acquireDatabase(handle, { slot: 1 })
      expect(again.url).toBe(beside.url)
      for (const database of [own, other, again]) await database.release()
    }))

  it('keeps the connection for a lease that is asked for while the last one is given back', () =>
    withService(server, async ({ handle }) => {
      let database = await acquireDatabase(handle, { slot: 1 })
      for (let round = 0; round < 10; round++) {
        const slot = 1 + ((round + 1) % 2)
        const [next] = await Promise.all([acquireDatabase(handle, { slot }), database.release()])
        expect((await next.reset()).dirty).toEqual([])
        database = next
      }
      await database.release()
    }))

  it('fails requests by name once the service has ended', () =>
    withService(server, async ({ handle, close }) => {
      const database = await acquireDatabase(handle, { slot: 1 })
      await close()
      const gone = {
        code: 'server',
        message: expect.stringContaining('database sessions of this run has ended'),
      }
      await expect(database.reset()).rejects.toMatchObject(gone)
      await database.release()
      await expect(acquireDatabase(handle, { slot: 1 })).rejects.toMatchObject(gone)
    }))

  describe('other programs', () => {
    it('cannot reach the socket of another user', () =>
      withService(server, async ({ handle }) => {
        const { path } = handle.service
        expect(lstatSync(path).mode & 0o777).toBe(0o600)
        expect(lstatSync(dirname(path)).mode & 0o777).toBe(0o700)
      }))

    it.each(['', 'x', '0'.repeat(64)])('are cut off without the secret: %j', (secret) =>
      withService(server, async ({ handle }) => {
        const stranger = await rawWorker(handle, secret)
        expect(await stranger.ask('lease', { slot: 1, exact: false })).toBe('closed')
      }),
    )

    it('cannot use the lease of another worker, or one that there is not', () =>
      withService(server, async ({ handle }) => {
        const database = await acquireDatabase(handle, { slot: 1 })
        const other = await rawWorker(handle)
        for (const name of [database.name, 'postgres', '']) {
          for (const method of ['reset', 'release', 'purge', 'endOpenResources'] as const) {
            expect(await other.ask(method, name, [])).toMatchObject({ error: { code: 'server' } })
          }
        }
        other.socket.destroy()
        await database.reset()
        await database.release()
      }))

    it.each([
      ['bytes that are no message', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
      ['a length beyond all bounds', Buffer.from([255, 255, 255, 255, 0])],
      ['an empty message', Buffer.from([0, 0, 0, 0])],
    ])('are cut off for %s, and hinder nobody', (_, bytes) =>
      withService(server, async ({ handle }) => {
        const stranger = await rawWorker(handle)
        stranger.socket.write(bytes)
        await eventually(() => stranger.socket.destroyed || undefined)
        const database = await acquireDatabase(handle, { slot: 1 })
        await database.reset()
        await database.release()
      }),
    )
  })

  it('is not used with strategy `rollback`, whose transactions are the worker’s', async () => {
    await using harness = await createHarness({ server: existing(server.url), strategy: 'rollback' })
    const service = await openService(Promise.resolve({ harness, ...reports }))
    expect((await service.handle()).service).toBeUndefined()
    await service.close()
  })
})
