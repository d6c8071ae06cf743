import type { SubjectId } from '../../schema/schema.ts'
import type { Row } from '../connection.ts'
import type { Outcome } from '../resetter.ts'
import { refuseUnknown } from './assert-schema.ts'
import { DEFINITION_COUNTS } from './definition-counts.ts'
import { type Detector, detector, type Found } from './detect.ts'
import type { Flavor } from './flavor.ts'
import { actionsFor, auxiliaryAction, outcomeOf } from './program.ts'
import { DELETED_INSTEAD, WHY_SCAN } from './reasons.ts'
import { type ResetContext, runProved } from './reset-context.ts'
import { isNoRoom } from './reset-error.ts'
import { sequenceOf, statementsOf } from './statements.ts'
import { resumeTriggers } from './triggers.ts'

export interface ScanOptions {
  /** Whether to check for changed definitions. The reset by counters does that itself. */
  readonly checksDefinitions: boolean
}

/** Compares every table with the baseline in one round trip, and restores those that differ in a second one. */
export class ScanReset {
  readonly #context: ResetContext
  readonly #detector: Detector
  readonly #committed: Detector

  constructor(context: ResetContext, flavor: Flavor) {
    const { program, baseline, triggers, database } = context
    this.#context = context
    const options = { flavor, suspends: triggers.length > 0, database }
    this.#detector = detector(program, baseline, options)
    this.#committed = detector(program, baseline, { ...options, waits: false })
  }

  /** TRUNCATE creates new files; if the server has no room for them, rows are deleted. */
  async reset(why: string, options: ScanOptions): Promise<Outcome> {
    try {
      return await this.#restore(why, { ...options, mayTruncate: true })
    } catch (error) {
      if (!isNoRoom(error)) throw error
      return this.resetByDelete(options)
    }
  }

  async resetByDelete(options: ScanOptions): Promise<Outcome> {
    const outcome = await this.#restore(WHY_SCAN.full, { ...options, mayTruncate: false })
    return { ...outcome, notes: [DELETED_INSTEAD] }
  }

  /** The subjects that differ from the baseline. */
  async dirty(): Promise<readonly SubjectId[]> {
    const { found } = await this.#find()
    return found.dirty
  }

  /** The subjects that differ among committed rows. Waits for no transaction. */
  async committed(): Promise<SubjectId[]> {
    const { statements, read } = this.#committed
    const results = await runProved(this.#context, statements, (index) =>
      auxiliaryAction(statements[index] ?? ''),
    )
    return [...read(results).dirty]
  }

  /**
   * Moves the counters to the positions of the plan, which `spread` changes. A MariaDB sequence caches
   * values: only after a restart does the first NEXTVAL move the visible position.
   */
  async moveToPlannedPositions(): Promise<void> {
    const { program, baseline } = this.#context
    const { schema, plan } = program
    const { found } = await this.#find()
    const statements = plan.steps.flatMap((step) => {
      if (step.kind !== 'restart') return []
      const isDue = found.moved.has(step.sequence) || sequenceOf(schema, step.sequence).kind === 'sequence'
      return isDue ? statementsOf(schema, step, baseline.database) : []
    })
    if (statements.length > 0)
      await runProved(this.#context, statements, (index) => auxiliaryAction(statements[index] ?? ''))
  }

  /** What is dirty, and the rows of `DEFINITION_COUNTS`. */
  async #find(): Promise<{ readonly found: Found; readonly counts: readonly Row[] }> {
    const statements = [DEFINITION_COUNTS, ...this.#detector.statements]
    const [counts, ...results] = await runProved(this.#context, statements, (index) => {
      const sql = statements[index]
      return sql === undefined ? undefined : auxiliaryAction(sql)
    })
    const found = this.#detector.read(results)
    refuseUnknown(found.unknown)
    return { found, counts: counts?.rows ?? [] }
  }

  async #restore(
    why: string,
    { checksDefinitions, mayTruncate }: ScanOptions & { readonly mayTruncate: boolean },
  ): Promise<Outcome> {
    const { connection, database, definitions } = this.#context
    const { found, counts } = await this.#find()
    if (checksDefinitions && definitions.moved(counts) !== undefined) await definitions.check()
    if (found.triggersPending) await resumeTriggers(connection, database)
    return this.restore(found, why, { mayTruncate })
  }

  /** Restores what was found, in one round trip. */
  async restore(
    found: Found,
    why: string,
    { mayTruncate }: { readonly mayTruncate: boolean },
  ): Promise<Outcome> {
    const { connection, program, database, baseline, triggers, definitions, own } = this.#context
    if (found.dirty.length === 0) return { detector: 'scan', why, dirty: [], ran: [] }
    const { actions, ran } = actionsFor(program, baseline, triggers, { found, database, mayTruncate })
    if (actions.length === 0) return { detector: 'scan', why, dirty: found.dirty, ran: [] }
    const statements = actions.map(({ sql }) => sql)
    try {
      const results = await runProved(this.#context, statements, (index) => actions[index])
      definitions.ran(statements, own.statements !== undefined)
      return outcomeOf(why, found, ran, actions, results)
    } catch (error) {
      // Now it is known that this reset dropped them; otherwise the next reset finds them as suspended.
      if (triggers.length > 0) await resumeTriggers(connection, database).catch(() => {})
      throw error
    }
  }
}
