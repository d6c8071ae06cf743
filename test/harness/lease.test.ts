import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { createHarness, existing } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeOn, oneOfEach } from '../support/servers.ts'
import { tapWire } from '../support/wire.ts'

for (const { id } of oneOfEach) {
  describeOn(id, (server) => {
    const migrate = async ({ url }: { url: string }) => {
      await ask(
        { ...server, url },
        'CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)',
      )
    }

    describe('a lease', () => {
      it('works for a database without tables', async () => {
        await using harness = await createHarness({ server: existing(server.url) })
        await using database = await harness.lease()
        expect(await database.reset()).toMatchObject({ dirty: [], steps: [] })
        expect(await database.verify()).toEqual([])
      })

      it('that was lost is renewed on the same database, whichever slots are free', async () => {
        await using wire = await tapWire(server.url)
        await using harness = await createHarness({ server: existing(wire.url), migrate })
        const first = await harness.lease()
        await using second = await harness.lease()
        expect(second.name).not.toBe(first.name)
        await first.release()
        await ask({ ...server, url: second.url }, 'INSERT INTO t VALUES (1)')
        wire.cut()
        await expect(second.reset()).rejects.toMatchObject({ code: 'server' })
        await Promise.all([second.reset(), second.reset()])
        expect(await second.verify()).toEqual([])
        expect(await ask({ ...server, url: second.url }, 'SELECT * FROM t')).toEqual([])
      })

      it('gives every worker its own database, and the same one again after its release', async () => {
        await using harness = await createHarness({ server: existing(server.url), migrate })
        const databases = await Promise.all([1, 1, 2].map((slot) => harness.lease({ slot })))
        expect(new Set(databases.map(({ name }) => name)).size).toBe(3)
        const [first] = databases
        await first?.release()
        const again = await harness.lease({ slot: 1 })
        expect(again.name).toBe(first?.name)
        for (const database of [...databases, again]) await database.release()
      })
    })
  })
}

describeOn('postgres:18', (server) => {
  it('a baseline is the same in any time zone of the server', async () => {
    await using harness = await createHarness({
      server: existing(server.url),
      migrate: async ({ url }) => {
        const name = new URL(url).pathname.slice(1)
        await ask(
          { ...server, url },
          `ALTER DATABASE ${name} SET timezone = 'Asia/Tokyo'; ALTER DATABASE ${name} SET bytea_output = 'escape'`,
        )
        await ask(
          { ...server, url },
          `CREATE TABLE t (at timestamptz, raw bytea); INSERT INTO t VALUES (now(), 'x')`,
        )
      },
    })
    await using database = await harness.lease()
    expect(await database.verify()).toEqual([])
    await ask({ ...server, url: database.url }, `UPDATE t SET at = 'epoch'`)
    await database.reset()
    expect(await database.verify()).toEqual([])
  })
})

// One server per driver, since each driver has its own way not to keep the process alive.
for (const id of ['embedded:18', 'mysql:9.7'] as const) {
  describeOn(id, (server) => {
    it('a lease in the background lets the process end, which frees it', async () => {
      await using harness = await createHarness({ server: existing(server.url) })
      const run = promisify(execFile)
      const worker = join(import.meta.dirname, 'background.ts')
      const { stdout } = await run(process.execPath, ['--import', 'jiti/register', worker], {
        env: { ...process.env, AFRESH_TEST_HANDLE: JSON.stringify(harness.handle) },
        timeout: 120_000,
      })
      // The server detects the closed connection with a delay.
      const leased = async () => {
        await using database = await harness.lease()
        return `${database.name} 0`
      }
      await expect.poll(leased, { timeout: 10_000 }).toBe(stdout)
    })
  })
}
