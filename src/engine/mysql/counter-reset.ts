import type { SubjectId } from '../../schema/schema.ts'
import type { Outcome } from '../resetter.ts'
import type { CountedReset, CounterOutcome } from './counted-reset.ts'
import type { CounterDetector, DetectionResult } from './counter-detector.ts'
import { outcomeOfCounts } from './counter-outcome.ts'
import { whyNotCounters } from './counters.ts'
import { WHY_SCAN } from './reasons.ts'
import type { ResetContext } from './reset-context.ts'
import { isNoRoom, resetErrorFrom } from './reset-error.ts'
import type { ScanReset } from './scan-reset.ts'
import { CallError } from './session.ts'

const NO_CHECK = { checksDefinitions: false }

/** Finds and restores what is dirty by one call of the routine. Scans where the counters do not suffice. */
export class CounterReset implements CountedReset {
  readonly #detector: CounterDetector
  readonly #context: ResetContext
  readonly #scan: ScanReset
  /** Definitions changed: what a reset did since then is unreliable. */
  #isDoubtful = false

  constructor(context: ResetContext, scan: ScanReset, detector: CounterDetector) {
    this.#context = context
    this.#scan = scan
    this.#detector = detector
  }

  get ownStatements(): string {
    return this.#detector.ownStatements
  }

  snapshot(findDirty: () => Promise<readonly SubjectId[]>): Promise<void> {
    return this.#detector.snapshot(findDirty)
  }

  close(): Promise<void> {
    return this.#detector.close()
  }

  async reset(): Promise<CounterOutcome> {
    let found: DetectionResult
    try {
      found = await this.#call({ acts: true })
    } catch (error) {
      if (!isNoRoom(error)) throw error
      return { outcome: await this.#scan.resetByDelete(NO_CHECK), needsSnapshot: true }
    }
    await this.#checkDefinitions(found)
    if (!this.#isDoubtful && isComplete(found.state))
      return { outcome: outcomeOfCounts(this.#context.program, found), needsSnapshot: false }
    return this.#finishByScan(found)
  }

  async dirty(): Promise<readonly SubjectId[]> {
    const found = await this.#call({ acts: false })
    return isComplete(found.state) ? found.due : this.#scan.dirty()
  }

  async #call(options: { readonly acts: boolean }): Promise<DetectionResult> {
    const { connection, program } = this.#context
    try {
      return await this.#detector.call(options)
    } catch (error) {
      throw await resetErrorFrom(connection, program, error, (step) => ({
        sql: error instanceof CallError ? (error.sql ?? '') : '',
        step,
        counts: false,
      }))
    }
  }

  /** ALTER may have changed rows without being counted as a write. */
  async #checkDefinitions({ definitions: { counts, done } }: DetectionResult): Promise<void> {
    const { definitions } = this.#context
    const moved = this.#isDoubtful ? 'rows' : definitions.moved(counts, done)
    if (moved === undefined) return
    this.#isDoubtful = true
    await definitions.check(this.#detector.ownStatements)
    this.#isDoubtful = moved === 'rows'
  }

  async #finishByScan(found: DetectionResult): Promise<CounterOutcome> {
    const { connection, program } = this.#context
    const isCounting =
      found.state !== 'unreliable' || (await whyNotCounters(connection, program)) === undefined
    const outcome = await this.#scanAfter(found)
    this.#isDoubtful = false
    // Otherwise its counts would look right again as soon as the server resumes counting.
    if (!isCounting) await this.#detector.close()
    return { outcome, needsSnapshot: isCounting }
  }

  /** The outcome includes what the routine restored. */
  async #scanAfter(found: DetectionResult): Promise<Outcome> {
    const { state } = found
    if (!isComplete(state)) return this.#scan.reset(WHY_SCAN[state], NO_CHECK)
    const first = outcomeOfCounts(this.#context.program, found)
    const { dirty, ran } = await this.#scan.reset(WHY_SCAN.changed, NO_CHECK)
    return { ...first, dirty: [...new Set([...first.dirty, ...dirty])], ran: [...first.ran, ...ran] }
  }
}

/** Whether the routine found everything that is dirty, and restored it if it was to act. */
function isComplete(state: DetectionResult['state']): state is 'clean' | 'dirty' {
  return state === 'clean' || state === 'dirty'
}
