import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { createHarness } from '../../src/index.ts'
import { describeOn } from '../support/servers.ts'

let cwd: string
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'afresh-s2-'))
  writeFileSync(join(cwd, 't.sql'), 'CREATE TABLE t (id int)')
})
afterAll(() => rmSync(cwd, { recursive: true, force: true }))
afterEach(() => vi.unstubAllEnvs())

for (const id of ['embedded:18', 'postgres:18'] as const) {
  describeOn(id, (server) => {
    it.each([
      ['PGSSLMODE', 'require'],
      ['PGSSLMODE', 'verify-full'],
      ['PGSSLNEGOTIATION', 'direct'],
      ['PGOPTIONS', '-c search_path=nowhere'],
      ['PGOPTIONS', '-c default_transaction_read_only=on'],
      ['PGOPTIONS', '-c role=nobody_of_this_name'],
    ])("%s=%s, meant for other clients, does not affect afresh's connections", async (name, value) => {
      vi.stubEnv(name, value)
      const harness = await createHarness({
        server: server.url,
        cwd,
        migrate: 't.sql',
      })
      try {
        const database = await harness.lease()
        expect((await database.reset()).dirty).toEqual([])
        await database.release()
      } finally {
        await harness.close()
      }
    })
  })
}
