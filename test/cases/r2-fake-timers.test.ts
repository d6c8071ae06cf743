import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { afterEach, expect, it, vi } from 'vitest'
import { createHarness, type HarnessOptions } from '../../src/index.ts'
import { checkForLeaks } from '../../src/runner/core/leak-check.ts'
import { hold } from '../support/hold.ts'
import { describeOn } from '../support/servers.ts'

afterEach(() => void vi.useRealTimers())

/** Fakes everything, including `performance`. */
const freeze = () => vi.useFakeTimers({ now: 0 })

describeOn('embedded:18', (server) => {
  async function leased(options: HarnessOptions = {}) {
    const harness = await createHarness({ server: server.url, ...options })
    return { harness, database: await harness.lease() }
  }

  it('a leak is found although the test has faked the clock', async () => {
    const { harness, database } = await leased()
    const held = await hold({ ...server, url: database.url }, 'SELECT 1')
    freeze()
    const look = checkForLeaks({ test: 'a test', file: undefined }, database, harness.handle, {
      known: new Set(),
    })
    await expect(look).rejects.toMatchObject({ code: 'leak' })
    vi.useRealTimers()
    await held.close()
    await database.release()
    await harness.close()
  })

  it('a lease, a reset and the wait for a second connection of a pool use the real clock', async () => {
    freeze()
    const { harness, database } = await leased({ strategy: 'rollback', lockTimeoutMs: 200 })
    expect((await database.reset()).durationMs).toBeGreaterThan(0)
    const pool = new pg.Pool({ connectionString: database.url })
    await database.begin(pool)
    const client = await pool.connect()
    await expect(pool.connect()).rejects.toMatchObject({ code: 'blocked' })
    client.release()
    await database.reset()
    await pool.end()
    await database.release()
    await harness.close()
  })
})

it('only util/clock uses timers, so that fake timers do not affect afresh', () => {
  const root = resolve(import.meta.dirname, '../../src')
  const USES = /(?<![.\w])(setTimeout|setInterval|setImmediate)\(|performance\.now\(|Date\.now\(|'node:timers/
  const offenders = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/^(cli|bench|util)\/|\/bench\.ts$/.test(file))
    // This code runs in a separate process, as text.
    .filter((file) => file !== 'server/cleanup-process.ts')
    .filter((file) => {
      const text = readFileSync(join(root, file), 'utf8')
      return USES.test(text) && !text.includes('util/clock.ts')
    })
  expect(offenders).toEqual([])
})
