import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { AfreshError } from '../../errors.ts'
import type { HarnessHandle } from '../../harness/handle.ts'
import { sleep } from '../../util/clock.ts'
import { findConfig } from '../core/shared-harness.ts'
import {
  createDirectory,
  identityOf,
  isAbandoned,
  type RunState,
  readState,
  removeDirectory,
  runDirectory,
  writeOwner,
} from './run-directory.ts'
import { orphaned } from './runner.ts'

/** Set in the environment of a test process and of the harness process: what they start is neither. */
export const INSIDE = 'AFRESH_NODE_TEST'

export interface JoinedRun {
  readonly handle: HarnessHandle
  /** Ends the harness before its time, which is when the runner ends, and waits until nothing of it is left. */
  dismiss(): Promise<void>
}

/**
 * The harness of the run that this process belongs to. The first one to ask starts its harness process.
 *
 * @param runner the process that runs the tests: when it has ended the harness goes, too
 * @param harnessProcess the program
 * @throws AfreshError naming what is wrong with the configuration, the server or the migrations
 */
export async function joinRun(runner: number, harnessProcess: URL): Promise<JoinedRun> {
  const identity = identityOf(runner)
  if (identity === undefined) throw orphaned()
  const directory = runDirectory(identity, await version())
  const started = createDirectory(directory)
    ? launchHarnessProcess(directory, harnessProcess, identity)
    : undefined
  const state = await waitFor(directory, started)
  if ('problem' in state) throw new AfreshError(state.problem.code, state.problem.message)
  if (identityOf(state.pid) === undefined) throw runEnded(directory)
  // The one line of a run.
  if (started !== undefined) process.stderr.write(`afresh: ${state.title}\n`)
  return {
    handle: state.handle,
    async dismiss() {
      removeDirectory(directory)
      while (identityOf(state.pid) !== undefined) await sleep(20)
    },
  }
}

/** In watch mode a run has no end: another configuration, or other SQL files, want another harness. */
async function version(): Promise<string> {
  const isWatching =
    process.env.WATCH_REPORT_DEPENDENCIES !== undefined || process.execArgv.includes('--watch')
  return isWatching ? (await findConfig([process.cwd()])).key.slice(0, 12) : ''
}

async function waitFor(directory: string, started: ChildProcess | undefined): Promise<RunState> {
  for (;;) {
    const state = readState(directory)
    if (state !== undefined) return state
    // For those who wait, too, and those who are still to come.
    if ((started !== undefined && hasEnded(started)) || isAbandoned(directory)) removeDirectory(directory)
    if (!existsSync(directory)) throw runEnded(directory)
    await sleep(20)
  }
}

/** The first is missing where it could not be started. */
function hasEnded({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null
}

/** Until there is a harness process it is this process that the others wait for: it may be killed, too. */
function launchHarnessProcess(directory: string, program: URL, runner: string): ChildProcess {
  try {
    writeOwner(directory, process.pid)
    const harnessProcess = spawnHarnessProcess(program, [directory, runner])
    if (harnessProcess.pid !== undefined) writeOwner(directory, harnessProcess.pid)
    return harnessProcess
  } catch (error) {
    removeDirectory(directory)
    throw error
  }
}

function spawnHarnessProcess(program: URL, args: readonly string[]): ChildProcess {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  // `detached`: a session of its own, so that Ctrl-C in the terminal does not reach it. And no output of ours, which
  // the runner reads to the end.
  const harnessProcess = spawn(process.execPath, [fileURLToPath(program), ...args], {
    detached: true,
    // Coverage would be written when the runner has removed its folder; left out, Node would put it back in.
    env: { ...env, NODE_V8_COVERAGE: '', [INSIDE]: 'harness' },
    stdio: 'ignore',
    windowsHide: true,
  })
  // Told by the id, which then is missing.
  harnessProcess.on('error', () => {})
  harnessProcess.unref()
  return harnessProcess
}

function runEnded(directory: string): AfreshError {
  return new AfreshError('server', 'The process that keeps the server of this run has ended.', {
    next: `Run the tests again; if that does not help, remove ${directory}.`,
  })
}
