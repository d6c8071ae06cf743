import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { AfreshError } from '../../../errors.ts'
import { sleep } from '../../../util/clock.ts'
import { identityOf } from '../../../util/process-identity.ts'
import { noProgress, type Progress } from '../../../util/progress.ts'
import { withProgressLine } from '../../../util/progress-line.ts'
import { IN_TERMINAL, isInTerminal } from '../in-terminal.ts'
import { withPlainErrors } from '../plain-errors.ts'
import type { RunHandle } from '../run-handle.ts'
import { askSummary } from '../service/harness-client.ts'
import { announce, printLines } from '../start-line.ts'
import {
  createDirectory,
  isAbandoned,
  type RunState,
  readProgress,
  readState,
  removeDirectory,
  runDirectory,
  writeOwner,
} from './run-directory.ts'

/** Set in test processes and in the harness process. Processes that they start inherit it and join no run. */
export const INSIDE = 'AFRESH_IN_RUN'

export interface JoinedRun {
  readonly handle: RunHandle
  /** Prints what the run says of itself at its end. */
  printSummary(): Promise<void>
  /** Ends the harness before the runner exits, and waits until the harness process has exited. */
  dismiss(): Promise<void>
}

export interface RunToJoin {
  /** Id of the process that runs the tests. When it exits, the harness ends too. */
  readonly runner: number
  /** The program of the harness process. */
  readonly program: URL
  /** Where to look for the configuration. Default: the current folder. */
  readonly folders?: readonly string[]
}

/**
 * Joins the harness of the run that this process belongs to. The first caller starts the harness process.
 *
 * @throws AfreshError naming the problem with the configuration, the server or the migrations
 */
export function joinRun(run: RunToJoin): Promise<JoinedRun> {
  return withPlainErrors(() => join(run))
}

async function join({ runner, program, folders = [process.cwd()] }: RunToJoin): Promise<JoinedRun> {
  const identity = identityOf(runner)
  if (identity === undefined) throw orphaned()
  const directory = runDirectory(identity, await version(folders))
  const started = createDirectory(directory)
    ? launchHarnessProcess(program, { directory, runner: identity, folders })
    : undefined
  // The harness process has no output, so the process that started it prints what is going on there.
  const state = await (started === undefined
    ? waitFor(directory, noProgress)
    : withProgressLine(process.stderr, (progress) => waitFor(directory, progress, started)))
  if ('problem' in state) throw new AfreshError(state.problem.code, state.problem.message)
  if (identityOf(state.pid) === undefined) throw runEnded(directory)
  // Printed once per run.
  if (started !== undefined) announce(state)
  return {
    handle: state.handle,
    async printSummary() {
      const { hasSummary, handle } = state
      if (!hasSummary || handle.service === undefined) return
      // The harness process may have been killed: that is no reason to fail at the end of the run.
      printLines(await askSummary(handle.service).catch(() => []))
    },
    async dismiss() {
      removeDirectory(directory)
      while (identityOf(state.pid) !== undefined) await sleep(20)
    },
  }
}

/** In watch mode the run does not end, so a changed configuration or SQL file needs another harness. */
async function version(folders: readonly string[]): Promise<string> {
  const isWatching =
    process.env.WATCH_REPORT_DEPENDENCIES !== undefined || process.execArgv.includes('--watch')
  if (!isWatching) return ''
  // This import loads all engines, which test processes do not need otherwise.
  const { findConfig } = await import('../load-config.ts')
  return (await findConfig(folders)).key.slice(0, 12)
}

async function waitFor(directory: string, progress: Progress, started?: ChildProcess): Promise<RunState> {
  for (;;) {
    const state = readState(directory)
    if (state !== undefined) return state
    const event = started && readProgress(directory)
    if (event !== undefined) progress(event)
    // Also notifies the other processes, including those that start later.
    if ((started !== undefined && hasEnded(started)) || isAbandoned(directory)) removeDirectory(directory)
    if (!existsSync(directory)) throw runEnded(directory)
    await sleep(20)
  }
}

/** `pid` is undefined if the process could not be started. */
function hasEnded({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null
}

/** Until the harness process runs, other test processes wait for this one, which may be killed too. */
function launchHarnessProcess(
  program: URL,
  {
    directory,
    runner,
    folders,
  }: { readonly directory: string; readonly runner: string; readonly folders: readonly string[] },
): ChildProcess {
  try {
    writeOwner(directory, process.pid)
    const harnessProcess = spawnHarnessProcess(program, [directory, runner, ...folders])
    if (harnessProcess.pid !== undefined) writeOwner(directory, harnessProcess.pid)
    return harnessProcess
  } catch (error) {
    removeDirectory(directory)
    throw error
  }
}

function spawnHarnessProcess(program: URL, args: readonly string[]): ChildProcess {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  // `detached`: a session of its own, so that Ctrl-C in the terminal does not reach it. No inherited output:
  // the runner would wait for its end.
  const harnessProcess = spawn(process.execPath, [fileURLToPath(program), ...args], {
    detached: true,
    // Coverage would be written after the runner removed its folder. Node adds the variable if it is missing.
    env: { ...env, NODE_V8_COVERAGE: '', [INSIDE]: 'harness', [IN_TERMINAL]: isInTerminal() ? '1' : '0' },
    stdio: 'ignore',
    windowsHide: true,
  })
  // `hasEnded` detects the failure by the missing `pid`.
  harnessProcess.on('error', () => {})
  harnessProcess.unref()
  return harnessProcess
}

export function orphaned(): AfreshError {
  return new AfreshError(
    'usage',
    'The process that runs the tests has ended: this one has no server to look for.',
    {
      next: 'Run the tests again.',
    },
  )
}

function runEnded(directory: string): AfreshError {
  return new AfreshError('server', 'The process that keeps the server of this run has ended.', {
    next: `Run the tests again; if that does not help, remove ${directory}.`,
  })
}
