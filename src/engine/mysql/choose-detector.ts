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

/** Which counts the server keeps, or why resets have to scan, as a phrase. */
export type Counts = { readonly by: 'userstat' | 'performance_schema' } | { readonly whyNone: string }

export async function availableCounts(connection: Connection, program: Program): Promise<Counts> {
  if (program.detector === 'scan') return { whyNone: 'it was asked for' }
  if ((await whyNotUserstat(connection, program)) === undefined) return { by: 'userstat' }
  const reason = await whyNotCounters(connection, program)
  if (reason === undefined) return { by: 'performance_schema' }
  if (program.detector === 'counters') refuseCounters(reason)
  return { whyNone: reason }
}

/** Creates what the detector needs; `withSnapshot` comes next. */
export async function openDetector(
  context: ResetContext,
  scan: ScanReset,
  counts: Counts,
): Promise<ChosenDetector> {
  if ('whyNone' in counts) return { counters: undefined, why: `${REASON_SCAN}: ${counts.whyNone}` }
  const open = counts.by === 'userstat' ? UserstatReset.open : openCounterReset
  try {
    return { counters: await open(context, scan), why: REASON_COUNTERS }
  } catch (error) {
    if (!(error instanceof AfreshError || isByServer(error))) throw error
    return withoutCounters(context.program, error)
  }
}

async function openCounterReset(context: ResetContext, scan: ScanReset): Promise<CounterReset> {
  const { connection, program, baseline, triggers, database } = context
  const { claim } = program
  const proof = claim === undefined ? '1' : await markCheckSql(connection, database, claim, { current: true })
  const detector = await openCounterDetector(connection, { program, baseline, triggers, database, proof })
  return new CounterReset(context, scan, detector)
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
