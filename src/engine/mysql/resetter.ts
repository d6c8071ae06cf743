import { withCleanUp } from '../../errors.ts'
import type { SubjectId } from '../../schema/schema.ts'
import type { Detector, Outcome, Resetter } from '../resetter.ts'
import { type ChosenDetector, withSnapshot } from './choose-detector.ts'
import { refuseCounters } from './counters.ts'
import { DEADLOCK, READ_ONLY } from './errno.ts'
import { explainFailure } from './explain-failure.ts'
import type { ResetContext } from './reset-context.ts'
import { failedWith } from './reset-error.ts'
import type { ScanReset } from './scan-reset.ts'

/** A deadlock with a transaction that outlived its test ends one of the two: a few retries decide. */
const TRIES = 3

/** Resets by counters or by scans, and tries again where that can help. */
export class MysqlResetter implements Resetter {
  readonly #context: ResetContext
  readonly #scan: ScanReset
  #chosen: ChosenDetector

  constructor(context: ResetContext, scan: ScanReset, chosen: ChosenDetector) {
    this.#context = context
    this.#scan = scan
    this.#chosen = chosen
  }

  async reset(): Promise<Outcome> {
    for (let tried = 1; ; tried += 1) {
      try {
        const outcome = await this.#resetOnce()
        const notes = [...(outcome.notes ?? []), ...this.#context.definitions.takeNotes()]
        return notes.length === 0 ? outcome : { ...outcome, notes }
      } catch (cause) {
        const ownStatements = this.#chosen.counters?.ownStatements
        const error = await explainFailure(this.#context, cause, ownStatements)
        // The cause is gone: the other transaction, or the read-only mode, which the check reverted.
        const mayGoOn = failedWith(error, DEADLOCK) || failedWith(error, READ_ONLY)
        if (!mayGoOn || tried === TRIES) throw error
      }
    }
  }

  async detect(by?: Detector): Promise<SubjectId[]> {
    const { counters, why } = this.#chosen
    if (by === 'counters' && counters === undefined) refuseCounters(why)
    const isScan = by === 'scan' || counters === undefined
    return [...(await (isScan ? this.#scan : counters).dirty())]
  }

  detectCommitted(): Promise<SubjectId[]> {
    return this.#scan.committed()
  }

  async close(): Promise<void> {
    await withCleanUp(
      async () => this.#chosen.counters?.close(),
      () => this.#context.baseline.close(),
    )
  }

  async #resetOnce(): Promise<Outcome> {
    const { counters, why } = this.#chosen
    if (counters === undefined) return this.#scan.reset(why, { checksDefinitions: true })
    const { outcome, needsSnapshot } = await counters.reset()
    if (needsSnapshot) this.#chosen = await withSnapshot(this.#context, this.#scan, counters)
    return outcome
  }
}
