import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { AfreshError } from '../../errors.ts'
import type { HarnessHandle } from '../../harness/handle.ts'
import { findConfig } from '../shared.ts'
import { claim, clear, identityOf, isAbandoned, placeOf, putInCharge, type Told, toldAt } from './place.ts'
import { orphaned } from './runner.ts'

/** Set in the environment of a test process and of the keeper: what they start is neither. */
export const INSIDE = 'AFRESH_NODE_TEST'

export interface Met {
  readonly handle: HarnessHandle
  /** Ends the harness before its time, which is when the runner ends, and waits until nothing of it is left. */
  dismiss(): Promise<void>
}

/**
 * The harness of the run that this process belongs to. The first one to ask starts its keeper.
 *
 * @param runner the process that runs the tests: when it has ended the harness goes, too
 * @param keeper the program
 * @throws AfreshError naming what is wrong with the configuration, the server or the migrations
 */
export async function meet(runner: number, keeper: URL): Promise<Met> {
  const identity = identityOf(runner)
  if (identity === undefined) throw orphaned()
  const place = placeOf(identity, await version())
  const started = claim(place) ? putKeeperInCharge(place, keeper, identity) : undefined
  const told = await waitFor(place, started)
  if ('problem' in told) throw new AfreshError(told.problem.code, told.problem.message)
  if (identityOf(told.keeper) === undefined) throw gone(place)
  // The one line of a run.
  if (started !== undefined) process.stderr.write(`afresh: ${told.title}\n`)
  return {
    handle: told.handle,
    async dismiss() {
      clear(place)
      while (identityOf(told.keeper) !== undefined) await sleep(20)
    },
  }
}

/** In watch mode a run has no end: another configuration, or other SQL files, want another harness. */
async function version(): Promise<string> {
  const isWatching =
    process.env.WATCH_REPORT_DEPENDENCIES !== undefined || process.execArgv.includes('--watch')
  return isWatching ? (await findConfig([process.cwd()])).key.slice(0, 12) : ''
}

async function waitFor(place: string, started: ChildProcess | undefined): Promise<Told> {
  for (;;) {
    const told = toldAt(place)
    if (told !== undefined) return told
    // For those who wait, too, and those who are still to come.
    if ((started !== undefined && hasEnded(started)) || isAbandoned(place)) clear(place)
    if (!existsSync(place)) throw gone(place)
    await sleep(20)
  }
}

/** The first is missing where it could not be started. */
function hasEnded({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null
}

/** Until there is a keeper it is this process that the others wait for: it may be killed, too. */
function putKeeperInCharge(place: string, program: URL, runner: string): ChildProcess {
  try {
    putInCharge(place, process.pid)
    const keeper = startKeeper(program, [place, runner])
    if (keeper.pid !== undefined) putInCharge(place, keeper.pid)
    return keeper
  } catch (error) {
    clear(place)
    throw error
  }
}

function startKeeper(program: URL, args: readonly string[]): ChildProcess {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  // `detached`: a session of its own, so that Ctrl-C in the terminal does not reach it. And no output of ours, which
  // the runner reads to the end.
  const keeper = spawn(process.execPath, [fileURLToPath(program), ...args], {
    detached: true,
    // Coverage would be written when the runner has removed its folder; left out, Node would put it back in.
    env: { ...env, NODE_V8_COVERAGE: '', [INSIDE]: 'keeper' },
    stdio: 'ignore',
    windowsHide: true,
  })
  // Told by the id, which then is missing.
  keeper.on('error', () => {})
  keeper.unref()
  return keeper
}

function gone(place: string): AfreshError {
  return new AfreshError('server', 'The process that keeps the server of this run has ended.', {
    next: `Run the tests again; if that does not help, remove ${place}.`,
  })
}
