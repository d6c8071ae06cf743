import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AfreshError } from '../../errors.ts'
import { now, sleep } from '../../util/clock.ts'
import { freePort } from '../../util/free-port.ts'
import { serverEnvironment } from '../server-environment.ts'
import type { Binaries } from './binaries.ts'
import { cacheFolder } from './cache.ts'
import type { UnprivilegedUser } from './unprivileged-user.ts'

export const HOST = '127.0.0.1'
const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 5_000
const PORT_TRIES = 10

/**
 * Starts the server whose files are in `data` in the folder. PostgreSQL cannot choose a port itself; another
 * process may take the chosen one before it starts.
 *
 * @param options arguments of `postgres`, after its port and addresses
 * @throws AfreshError `server`
 */
export async function startOnFreePort(
  binaries: Binaries,
  account: UnprivilegedUser | undefined,
  folder: string,
  options: readonly string[] = [],
): Promise<Postmaster> {
  for (let tries = 1; ; tries++) {
    const postmaster = new Postmaster(binaries, account, folder, await freePort(HOST), options)
    if (await postmaster.isReady()) return postmaster
    const log = postmaster.log()
    if (tries < PORT_TRIES && /could not bind .* Address already in use/.test(log)) continue
    throw new AfreshError('server', `The embedded PostgreSQL did not start.${log}`, {
      next: /No space left on device/.test(log)
        ? `Make room in ${dirname(folder)}, or set TMPDIR to a folder that has at least 200 MB.`
        : `Its log, above, says why. If it calls its files broken, remove ${cacheFolder()}.`,
    })
  }
}

/** The server's main process. */
export class Postmaster {
  readonly port: number
  readonly #data: string
  readonly #log: string
  readonly #process: ChildProcess
  #ended = false

  constructor(
    binaries: Binaries,
    account: UnprivilegedUser | undefined,
    folder: string,
    port: number,
    extra: readonly string[],
  ) {
    this.port = port
    this.#data = join(folder, 'data')
    this.#log = join(folder, 'log')
    const log = openSync(this.#log, 'w')
    const options = [
      '-p',
      `${port}`,
      '-c',
      `listen_addresses=${HOST}`,
      '-c',
      'unix_socket_directories=',
      ...extra,
    ]
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

  /**
   * Fast shutdown: sessions end, and the data is complete in its files.
   *
   * @throws AfreshError `server` if that takes longer than a minute
   */
  async stopCleanly(): Promise<void> {
    if (await this.#end('SIGINT', START_TIMEOUT_MS)) return
    await this.stop()
    throw new AfreshError('server', `The embedded PostgreSQL did not shut down.${this.log()}`, {
      next: 'Its log, above, says why. Run the tests again.',
    })
  }

  async #end(signal: NodeJS.Signals, timeoutMs = STOP_TIMEOUT_MS): Promise<boolean> {
    const deadline = now() + timeoutMs
    if (!this.#ended) this.#process.kill(signal)
    while (!this.#ended && now() < deadline) await sleep(5)
    return this.#ended
  }
}
