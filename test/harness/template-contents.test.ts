import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createHarness, existing, type HarnessOptions } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeOn, oneOfEach } from '../support/servers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { tapWire } from '../support/wire.ts'

/** Hashing rows, in the SQL of each engine. MariaDB's identity is a hash too, of values joined by |. */
const HASH = /substr\(md5\(|SHA2\(CONCAT_WS\(','/

for (const { id } of oneOfEach) {
  describeOn(id, (server) => {
    describe('the contents of a template', () => {
      let folder = ''
      beforeEach(() => {
        folder = mkdtempSync(join(temporaryFolder(), 'afresh-contents-'))
        vi.stubEnv('AFRESH_CACHE_DIR', join(folder, 'cache'))
        mkdirSync(join(folder, 'migrations'))
        writeFileSync(
          join(folder, 'migrations', '1.sql'),
          `CREATE TABLE parents (id integer PRIMARY KEY, name varchar(20));
           CREATE TABLE children (id integer PRIMARY KEY, parent integer REFERENCES parents (id));
           INSERT INTO parents VALUES (1, 'Ada');`,
        )
      })
      afterEach(() => {
        vi.unstubAllEnvs()
        rmSync(folder, { recursive: true, force: true })
      })
      const kept = () => readdirSync(join(folder, 'cache', 'templates'))

      /** Starts, and checks that a reset restores. Returns whether the start read the rows. */
      const start = async (options: HarnessOptions = {}): Promise<boolean> => {
        await using wire = await tapWire(server.url)
        await using harness = await createHarness({
          ...{ migrate: 'migrations', cwd: folder, project: `contents ${folder.slice(-6)}` },
          ...{ server: existing(wire.url), strategy: 'delete', ...options },
        })
        const isRead = HASH.test(wire.sent())
        await using database = await harness.lease()
        await ask({ engine: server.engine, url: database.url }, 'DELETE FROM parents')
        expect((await database.reset()).dirty).toEqual(['parents'])
        expect(await database.verify()).toEqual([])
        expect(HASH.test(wire.sent())).toBe(true)
        return isRead
      }

      it('are read once, by the run that builds it', async () => {
        expect(await start()).toBe(true)
        expect(await start()).toBe(false)
        expect(await start()).toBe(false)
        expect(kept()).toHaveLength(1)
      })

      it('are read again for other options, and if what was kept is unreadable', async () => {
        await start()
        expect(await start({ keep: ['children'] })).toBe(true)
        expect(kept()).toHaveLength(2)
        for (const name of kept()) writeFileSync(join(folder, 'cache', 'templates', name), 'nonsense')
        expect(await start()).toBe(true)
        expect(await start()).toBe(false)
      })

      it('are read again if the migrations changed', async () => {
        await start()
        writeFileSync(join(folder, 'migrations', '2.sql'), 'CREATE TABLE more (id integer PRIMARY KEY)')
        expect(await start()).toBe(true)
        expect(await start()).toBe(false)
      })
    })
  })
}
