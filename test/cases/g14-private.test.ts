import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { guardEnvironment } from '../../src/database/guard.ts'
import { attach } from '../../src/index.ts'
import { cached } from '../../src/server/embedded/cache.ts'
import { embedded, startServer } from '../../src/server/server.ts'
import { describeOn } from '../support/servers.ts'
import { openSqlite } from '../support/sqlite.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'afresh-g14-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

describeOn('embedded:18', () => {
  it('the embedded server inherits only the environment variables that it needs', async () => {
    vi.stubEnv('CI_TOKEN', 'g14-secret')
    await using server = await startServer(embedded())
    const { port } = new URL(server.url)
    const environments = readdirSync('/proc').flatMap((pid) => {
      try {
        const isServer = readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`\0-p\0${port}\0`)
        return isServer ? [readFileSync(`/proc/${pid}/environ`, 'utf8')] : []
      } catch {
        return []
      }
    })
    // A newly forked process shows the command line of its parent until it sets its own title.
    expect(environments).not.toEqual([])
    for (const environment of environments) {
      expect(environment).not.toContain('g14-secret')
      expect(environment).toContain('LC_ALL=C')
    }
  })
})

describe('a cache that other users can write to is refused', () => {
  const use = () => cached('thing', async (building) => writeFileSync(join(building, 'made'), 'x'))

  it('the folder itself', async () => {
    vi.stubEnv('AFRESH_CACHE_DIR', folder)
    chmodSync(folder, 0o777)
    await expect(use()).rejects.toMatchObject({ code: 'refused' })
    await expect(use()).rejects.toThrow(/may be written by others \(mode 777\)/)
    chmodSync(folder, 0o755)
    expect(readdirSync(await use())).toEqual(['made'])
  })

  it('an entry in the folder, or a symbolic link', async () => {
    vi.stubEnv('AFRESH_CACHE_DIR', folder)
    mkdirSync(join(folder, 'thing'))
    chmodSync(join(folder, 'thing'), 0o777)
    await expect(use()).rejects.toThrow(/thing may be written by others/)
    rmSync(join(folder, 'thing'), { recursive: true })
    mkdirSync(join(folder, 'elsewhere'))
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'thing'))
    await expect(use()).rejects.toThrow(/thing is a symbolic link/)
  })
})

describe('recognizes production by NODE_ENV', () => {
  it.each(['production', 'Production', 'PRODUCTION', 'prod', 'Prod', ' production '])('%s', (name) => {
    expect(() => guardEnvironment({ NODE_ENV: name })).toThrow(/no place for test databases/)
  })
  it.each(['test', 'development', 'product', 'preprod', ''])('not %s', (name) => {
    guardEnvironment({ NODE_ENV: name })
  })
})

it('the mark next to a SQLite database is not written through a symbolic link', async () => {
  const victim = join(folder, 'victim')
  writeFileSync(victim, 'precious')
  const file = join(folder, 'shop.db')
  const [handle] = openSqlite(file)
  if (handle === undefined) throw new Error('no driver for SQLite')
  symlinkSync(victim, `${file}.afresh`)
  handle.client.exec('CREATE TABLE t (id int)')
  const database = await attach(handle.client)
  await database.release()
  handle.client.close()
  expect(readFileSync(victim, 'utf8')).toBe('precious')
})
