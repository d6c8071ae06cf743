import { AfreshError, messageOf } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import { whyNotUserstat } from '../mariadb/userstat.ts'
import { UserstatReset } from '../mariadb/userstat-reset.ts'
import type { Program } from '../resetter.ts'
import type { CountedReset } from './counted-reset.ts'
import { openCounterDetector } from './counter-detector.ts'
import { CounterReset } from './counter-reset.ts'
import { refuseCounters, whyNotCounters } from './counters.ts'
import { markCheckSql } from './ownership.ts'
import { REASON_COUNTERS, REASON_SCAN } from './reasons.ts'
import type { ResetContext } from './reset-context.ts'
import type { ScanReset } from './scan-reset.ts'
import { BatchError, errnoOf } from './session.ts'

export interface ChosenDetector {
  /** `undefined` if every reset scans. */
  readonly counters: CountedReset | undefined
  readonly why: string
}

/** Why resets have to scan, as a phrase; `undefined` if the counters can be used. */
export async function whyScan(connection: Connection, program: Program): Promise<string | undefined> {
  if (program.detector === 'scan') return 'it was asked for'
  if ((await whyNotUserstat(connection, program)) === undefined) return undefined
  const reason = await whyNotCounters(connection, program)
  if (reason !== undefined && program.detector === 'counters') refuseCounters(reason)
  return reason
}

/**
 * Creates what the detector needs; `withSnapshot` comes next.
 *
 * @param reason why resets have to scan, if they have to
 */
export async function openDetector(
  context: ResetContext,
  scan: ScanReset,
  reason: string | undefined,
): Promise<ChosenDetector> {
  if (reason !== undefined) return { counters: undefined, why: `${REASON_SCAN}: ${reason}` }
  const { connection, program, baseline, triggers, database } = context
  const { claim } = program
  const hasUserstat = (await whyNotUserstat(connection, program)) === undefined
  const proof = claim === undefined ? '1' : await markCheckSql(connection, database, claim, { current: true })
  let counters: CountedReset
  try {
    counters = hasUserstat
      ? await UserstatReset.open(context, scan)
      : new CounterReset(
          context,
          scan,
          await openCounterDetector(connection, { program, baseline, triggers, database, proof }),
        )
  } catch (error) {
    if (!(error instanceof AfreshError || isByServer(error))) throw error
    return withoutCounters(program, error)
  }
  return { counters, why: REASON_COUNTERS }
}

/** Takes the current state as clean. Scans if the server has no room for the counters, or they are gone. */
export async function withSnapshot(
  { program }: ResetContext,
  scan: ScanReset,
  counters: CountedReset,
): Promise<ChosenDetector> {
  try {
    await counters.snapshot(() => scan.dirty())
    return { counters, why: REASON_COUNTERS }
  } catch (error) {
    // The first error matters; what cannot be deleted now is pruned after the session has ended.
    await counters.close().catch(() => {})
    if (!isByServer(error)) throw error
    return withoutCounters(program, error)
  }
}

/** Whether the server refused a statement, and the connection is still there. */
function isByServer(error: unknown): error is Error {
  if (error instanceof BatchError) return error.index !== undefined
  // Those of the connection are negative.
  return error instanceof Error && (errnoOf(error) ?? -1) > 0
}

function withoutCounters({ detector }: Program, error: Error): ChosenDetector {
  const refusal = `nothing can be kept in \`afresh_registry\` (${messageOf(error)})`
  if (detector === 'counters') refuseCounters(refusal)
  return { counters: undefined, why: `${REASON_SCAN}: ${refusal}` }
}
