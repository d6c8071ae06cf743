import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { endLingering, letLinger, lingeringServers } from '../../src/server/lingering.ts'
import { startServer } from '../../src/server/server.ts'
import { embedded } from '../../src/server/spec.ts'
import { ask } from '../support/ask.ts'
import { describeOn } from '../support/servers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const { AFRESH_CACHE_DIR: before } = process.env
let cache: string
beforeEach(() => {
  cache = mkdtempSync(join(temporaryFolder(), 'afresh-lingering-'))
  // PostgreSQL runs as another user if this is root.
  chmodSync(cache, 0o755)
  process.env.AFRESH_CACHE_DIR = cache
})
afterEach(() => {
  for (const server of lingeringServers()) endLingering(server)
  if (before === undefined) delete process.env.AFRESH_CACHE_DIR
  else process.env.AFRESH_CACHE_DIR = before
  rmSync(cache, { recursive: true, force: true })
})

const started = async () => {
  const server = await startServer(embedded())
  const [row] = await ask(server, "SELECT current_setting('data_directory') AS data")
  return { server, data: String(row?.data) }
}

describeOn('embedded:18', () => {
  it('a server stays, and ends while its process goes on: for another of its project, or when that is asked', async () => {
    const first = await started()
    const second = await started()
    const other = await started()
    await letLinger(first.server, 'shop')
    await letLinger(other.server, 'another')
    expect(lingeringServers().map(({ project }) => project)).toEqual(
      expect.arrayContaining(['shop', 'another']),
    )
    expect(await ask(first.server, 'SELECT 1 AS n')).toEqual([{ n: 1 }])

    await letLinger(second.server, 'shop')
    await expect.poll(() => existsSync(first.data), { timeout: 20_000 }).toBe(false)
    expect(await ask(second.server, 'SELECT 1 AS n')).toEqual([{ n: 1 }])
    expect(lingeringServers()).toHaveLength(2)

    for (const server of lingeringServers()) endLingering(server)
    await expect
      .poll(() => existsSync(second.data) || existsSync(other.data), { timeout: 20_000 })
      .toBe(false)
  })
})
