import { type ChildProcess, spawn } from 'node:child_process'
import { masked, type Variables, withVariables } from '../engine/environment.ts'
import { AfreshError, messageOf } from '../errors.ts'
import { clearTimeout, setTimeout } from '../util/clock.ts'

export interface CommandOptions {
  readonly cwd: string
  readonly env: Variables
  /** Milliseconds after which the command is ended. */
  readonly timeoutMs: number
}

/** Number of lines at the end of a command's output that an error shows. */
const SHOWN_LINES = 20
const KEPT_CHARACTERS = 16_384
/** Milliseconds between SIGTERM and SIGKILL. */
const GRACE_MS = 2_000

/**
 * Runs a shell command to its end, without input and without output to the terminal. Its own process group
 * ends with the command, with the time limit, and with this process. Throws `AfreshError` (`baseline`) with
 * the end of its output.
 */
export async function runCommand(command: string, options: CommandOptions): Promise<void> {
  let child: ChildProcess | undefined
  // Before the command starts: a signal between the two would leave it running.
  const disarm = endWithThisProcess(() => endGroup(child, 'SIGKILL'))
  let output = () => ''
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    endGroup(child, 'SIGTERM')
    setTimeout(() => endGroup(child, 'SIGKILL'), GRACE_MS).unref()
  }, options.timeoutMs)
  try {
    child = spawn(command, {
      shell: true,
      cwd: options.cwd,
      // Migrations that run by ts-node skip the type check, which takes seconds in every run.
      env: withVariables({ TS_NODE_TRANSPILE_ONLY: 'true', ...process.env }, options.env),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
      windowsHide: true,
    })
    output = tailOf(child)
    const ending = await endOf(child)
    if (timedOut) throw new Error(`it took longer than ${options.timeoutMs} ms and was ended`)
    if (ending !== 0)
      throw new Error(typeof ending === 'number' ? `exit code ${ending}` : `ended by ${ending}`)
  } catch (error) {
    const message = `The command failed: ${messageOf(error)}\n${describe(command, output())}`
    throw new AfreshError('baseline', masked(message, options.env.DATABASE_URL), {
      next: `Run it manually in ${options.cwd}, with DATABASE_URL set to a database for tests.`,
      cause: error,
    })
  } finally {
    clearTimeout(timer)
    disarm()
  }
}

/** Returns the exit code, or the signal that ended the command, after ending the rest of its group. */
async function endOf(child: ChildProcess): Promise<number | string> {
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const ending = await new Promise<number | string>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'an unknown signal'))
  })
  endGroup(child, 'SIGKILL')
  // A process that left the group may keep the pipe open forever.
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, GRACE_MS).unref())])
  child.stdout?.destroy()
  child.stderr?.destroy()
  return ending
}

function endGroup(child: ChildProcess | undefined, signal: NodeJS.Signals): void {
  const pid = child?.pid
  if (pid === undefined) return
  if (process.platform === 'win32') {
    spawn('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore' }).once('error', () => {})
    return
  }
  try {
    process.kill(-pid, signal)
  } catch {
    // The whole group has ended.
  }
}

/** A separate process group does not receive Ctrl-C, so `end` is called when this process ends. */
function endWithThisProcess(end: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const onSignal = (signal: NodeJS.Signals) => {
    end()
    disarm()
    // Without another listener the signal would have ended this process: send it again.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
  }
  const disarm = () => {
    process.off('exit', end)
    for (const signal of signals) process.off(signal, onSignal)
  }
  process.on('exit', end)
  for (const signal of signals) process.on(signal, onSignal)
  return disarm
}

function tailOf(child: ChildProcess): () => string {
  let tail = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      tail = (tail + chunk).slice(-KEPT_CHARACTERS)
    })
  }
  return () => tail
}

function describe(command: string, output: string): string {
  const lines = output.trimEnd().split(/\r?\n/).slice(-SHOWN_LINES)
  return [`  command: ${command}`, '  output:', ...lines.map((line) => `    ${line}`)].join('\n')
}
