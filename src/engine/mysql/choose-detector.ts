import { AfreshError, messageOf } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import type { Program } from '../resetter.ts'
import { openCounterDetector } from './counter-detector.ts'
import { CounterReset } from './counter-reset.ts'
import { refuseCounters, whyNotCounters } from './counters.ts'
import { markCheckSql } from './ownership.ts'
import { REASON_COUNTERS, REASON_SCAN } from './reasons.ts'
import type { ResetContext } from './reset-context.ts'
import type { ScanReset } from './scan-reset.ts'
import { BatchError } from './session.ts'

export interface ChosenDetector {
  /** `undefined` if every reset scans. */
  readonly counters: CounterReset | undefined
  readonly why: string
}

/** Why resets have to scan, as a phrase; `undefined` if the counters can be used. */
export async function whyScan(connection: Connection, program: Program): Promise<string | undefined> {
  const reason = program.detector === 'scan' ? 'it was asked for' : await whyNotCounters(connection, program)
  if (reason !== undefined && program.detector === 'counters') refuseCounters(reason)
  return reason
}

/** @param reason why resets have to scan, if they have to */
export async function chooseDetector(
  context: ResetContext,
  scan: ScanReset,
  reason: string | undefined,
): Promise<ChosenDetector> {
  if (reason !== undefined) return { counters: undefined, why: `${REASON_SCAN}: ${reason}` }
  const { connection, program, baseline, triggers, database } = context
  const { claim } = program
  const proof = claim === undefined ? '1' : await markCheckSql(connection, database, claim, { current: true })
  let counters: CounterReset
  try {
    const detector = await openCounterDetector(connection, { program, baseline, triggers, database, proof })
    counters = new CounterReset(context, scan, detector)
  } catch (error) {
    if (!(error instanceof BatchError || error instanceof AfreshError)) throw error
    return withoutCounters(program, error)
  }
  return withSnapshot(context, scan, counters)
}

/** Takes the current state as clean. Scans if the server has no room for the counters, or they are gone. */
export async function withSnapshot(
  { program }: ResetContext,
  scan: ScanReset,
  counters: CounterReset,
): Promise<ChosenDetector> {
  try {
    await counters.detector.snapshot(() => scan.dirty())
    return { counters, why: REASON_COUNTERS }
  } catch (error) {
    // The first error matters; what cannot be deleted now is pruned after the session has ended.
    await counters.detector.close().catch(() => {})
    if (!(error instanceof BatchError) || error.index === undefined) throw error
    return withoutCounters(program, error)
  }
}

function withoutCounters({ detector }: Program, error: Error): ChosenDetector {
  const refusal = `nothing can be kept in \`afresh_registry\` (${messageOf(error)})`
  if (detector === 'counters') refuseCounters(refusal)
  return { counters: undefined, why: `${REASON_SCAN}: ${refusal}` }
}
