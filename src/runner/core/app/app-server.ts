/**
 * In: a command, and the database of a worker.
 * Out: the application on a port of its own, ready, with that database.
 * Called by the runners for end-to-end tests.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Variables } from '../../../engine/environment.ts'
import { AfreshError } from '../../../errors.ts'
import { now, sleep } from '../../../util/clock.ts'
import { freePort } from '../../../util/free-port.ts'
import { settledWithin } from '../../../util/with-timeout.ts'
import { encodeOrder } from './launch-order.ts'

/** The application under test, one for each worker. */
export interface AppServer {
  /** A shell command that starts the application and stays in the foreground. */
  readonly command: string
  /** Path of a page that answers with a status below 500 once the application is ready. Default `/`. */
  readonly path?: string
  /** The variable that tells the application its port. Default `PORT`. */
  readonly portVariable?: string
  /** Further variables. Those that lead to the database are set by afresh. */
  readonly env?: Readonly<Record<string, string>>
  /** Default: the current folder. */
  readonly cwd?: string
  /** Milliseconds until it is ready. Default 60,000. */
  readonly timeoutMs?: number
}

export interface RunningApp {
  /** `http://localhost:…` */
  readonly url: string
  /** @throws AfreshError `usage` if the application has ended */
  check(): void
  /** Ends the application and waits until it has gone. */
  stop(): Promise<void>
}

/** Milliseconds in which an application may end what a test has begun. */
export const SETTLE_MS = 2_000

const READY_MS = 60_000
const POLL_MS = 50
/** Milliseconds between SIGTERM and SIGKILL. */
const STOP_MS = 5_000
/** Characters of the end of the output, for errors. */
const OUTPUT_LENGTH = 4_000

/**
 * Starts the application and waits until it answers.
 *
 * @param variables those that lead to its database
 * @param launcher the program that ends it should this process be killed
 * @throws AfreshError `usage` if it ends or does not answer in time; then it has been ended
 */
export async function startApp(app: AppServer, variables: Variables, launcher: URL): Promise<RunningApp> {
  const { command, path = '/', portVariable = 'PORT', timeoutMs = READY_MS } = app
  const port = await freePort('127.0.0.1')
  const order = encodeOrder({ command, owner: process.pid })
  const env = { ...process.env, ...app.env, ...variables, ...order, [portVariable]: String(port) }
  const child = spawn(process.execPath, [fileURLToPath(launcher)], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, which one signal ends.
    detached: process.platform !== 'win32',
    windowsHide: true,
    ...(app.cwd !== undefined && { cwd: app.cwd }),
  })
  const running = runningApp(child, command)
  const url = `http://localhost:${port}`
  try {
    for (const deadline = now() + timeoutMs; !(await answers(`${url}${path}`)); await sleep(POLL_MS)) {
      running.check()
      if (now() > deadline) throw running.problem(`does not answer at ${path} after ${timeoutMs} ms`)
    }
  } catch (error) {
    await running.stop()
    throw error
  }
  return { url, check: running.check, stop: running.stop }
}

function runningApp(child: ChildProcess, command: string) {
  let output = ''
  const keep = (chunk: Buffer) => {
    output = `${output}${chunk}`.slice(-OUTPUT_LENGTH)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  child.stderr?.pipe(process.stderr, { end: false })
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const hasEnded = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null
  const problem = (what: string) => {
    const said = output.trim() === '' ? 'It has written nothing.' : `It has written:\n${output.trim()}`
    return new AfreshError('usage', `The application ${what}: ${command}\n${said}`, {
      next: 'Run the command yourself with DATABASE_URL and PORT set; `appServer` names it, its page and its variable.',
    })
  }
  return {
    problem,
    check() {
      if (hasEnded()) throw problem(`has ended (${child.signalCode ?? `exit code ${child.exitCode}`})`)
    },
    async stop() {
      if (!hasEnded()) {
        signal(child, 'SIGTERM')
        await settledWithin(exited, STOP_MS)
        if (!hasEnded()) signal(child, 'SIGKILL')
      }
      await exited
    },
  }
}

/** To the whole group: the shell, the application, and what it has started. */
function signal({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, name)
  } catch {
    // It has just gone.
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const { status } = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(1_000) })
    return status < 500
  } catch {
    return false
  }
}
