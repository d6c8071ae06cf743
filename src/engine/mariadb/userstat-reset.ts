import type { SequenceId, SubjectId } from '../../schema/schema.ts'
import type { CountedReset, CounterOutcome } from '../mysql/counted-reset.ts'
import { NO_TABLE } from '../mysql/errno.ts'
import { OwnStatements } from '../mysql/own-statements.ts'
import { REASON_COUNTERS, WHY_SCAN } from '../mysql/reasons.ts'
import type { ResetContext } from '../mysql/reset-context.ts'
import { failedWith, isNoRoom } from '../mysql/reset-error.ts'
import type { ScanReset } from '../mysql/scan-reset.ts'
import type { Outcome } from '../resetter.ts'
import { findMoved, type MovedCounters } from './moved-counters.ts'
import { flushStatistics, silentTables, whyNotUserstat } from './userstat.ts'
import { UserstatDetector, type UserstatResult } from './userstat-detector.ts'
import { snapshotQueries, type UserstatSnapshot } from './userstat-snapshot.ts'

const NO_CHECK = { checksDefinitions: false }

/** Finds what is dirty by `userstat`, in one round trip. Scans where the counts do not suffice. */
export class UserstatReset implements CountedReset {
  readonly ownStatements: string
  readonly #context: ResetContext
  readonly #scan: ScanReset
  readonly #own: OwnStatements
  readonly #detector: UserstatDetector
  readonly #silent: ReadonlySet<string>
  /** Definitions changed: what a reset did since then is unreliable. */
  #isDoubtful = false

  private constructor(
    context: ResetContext,
    scan: ScanReset,
    parts: { own: OwnStatements; detector: UserstatDetector; silent: ReadonlySet<string> },
  ) {
    this.#context = context
    this.#scan = scan
    this.#own = parts.own
    this.#detector = parts.detector
    this.#silent = parts.silent
    this.ownStatements = parts.own.alteredQuery
  }

  /** Creates what is missing in the registry; call `snapshot` next. Throws if a privilege is missing. */
  static async open(context: ResetContext, scan: ScanReset): Promise<UserstatReset> {
    const { connection, database } = context
    await flushStatistics(connection)
    const own = await OwnStatements.open(connection, database)
    const queries = await snapshotQueries(connection, own, database)
    const detector = new UserstatDetector(context, own, queries)
    context.own.statements = own
    return new UserstatReset(context, scan, { own, detector, silent: await silentTables(connection) })
  }

  async snapshot(findDirty: () => Promise<readonly SubjectId[]>): Promise<void> {
    const known = await this.#detector.measure()
    const dirty = await findDirty()
    this.#detector.adopt(known)
    this.#detector.mark(dirty)
  }

  async reset(): Promise<CounterOutcome> {
    const found = await this.#find()
    if (found !== undefined) await this.#checkDefinitions(found.snapshot)
    if (found?.state !== 'counted' || this.#isDoubtful) {
      const why = found === undefined || found.state === 'unreliable' ? WHY_SCAN.unreliable : WHY_SCAN.changed
      return this.#byScan(() => this.#scan.reset(why, NO_CHECK))
    }
    try {
      return { outcome: await this.#restore(found), needsSnapshot: false }
    } catch (error) {
      if (!isNoRoom(error)) throw error
      return this.#byScan(() => this.#scan.resetByDelete(NO_CHECK))
    }
  }

  async dirty(): Promise<readonly SubjectId[]> {
    const found = await this.#find()
    const isCounted =
      found?.state === 'counted' && !this.#isDoubtful && this.#movedBy(found.snapshot) !== 'rows'
    if (!isCounted) return this.#scan.dirty()
    const moved = await this.#moved(found)
    const due = [...found.due.keys()].flatMap(({ subjects }) => subjects)
    return [...new Set([...due, ...moved.sequences])]
  }

  async close(): Promise<void> {
    this.#context.own.statements = undefined
    this.#detector.adopt(undefined)
    await this.#own.close()
  }

  /** `undefined`: another session dropped what afresh keeps in its registry. */
  async #find(): Promise<UserstatResult | undefined> {
    try {
      return await this.#detector.find((snapshot) => this.#movedBy(snapshot) !== undefined)
    } catch (error) {
      if (!failedWith(error, NO_TABLE)) throw error
      this.#context.own.statements = undefined
      return undefined
    }
  }

  async #restore(found: UserstatResult): Promise<Outcome> {
    const { program } = this.#context
    const moved = await this.#moved(found)
    const tables = [...found.due.keys()].flatMap(({ table }) => table?.id ?? [])
    const dirty = [...new Set<SubjectId>([...tables, ...moved.sequences])]
    const all = await this.#scan.restore(
      { dirty, moved: moved.sequences, rows: moved.rows, unknown: [], triggersPending: false },
      REASON_COUNTERS,
      { mayTruncate: true },
    )
    this.#detector.settle(found)
    this.#detector.ran(all)
    return touchedBy(all, program.plan.steps, { due: new Set(tables), moved: moved.sequences })
  }

  /**
   * Where AUTO_INCREMENT moved: in tables into which rows were inserted, and, if it is read there, in others that
   * were written, and in all after an insert failed.
   */
  async #moved({ due, mayHaveMoved }: UserstatResult): Promise<MovedCounters> {
    const { tracked } = this.#detector
    const grown = tracked.filter((table) => (due.get(table) ?? 0) > 0 && table.table !== undefined)
    const unclear = tracked.filter((table) => {
      if (grown.includes(table)) return false
      if (table.next === undefined) return due.has(table) && table.table === undefined
      return due.has(table) || mayHaveMoved || this.#silent.has(table.name)
    })
    const read = await findMoved(this.#context, unclear)
    return {
      sequences: new Set([...grown.flatMap(({ subjects }) => subjects.slice(1)), ...read.sequences]),
      rows: new Map([
        ...grown.map((table) => [table.subjects[0] ?? '', due.get(table) ?? 0] as const),
        ...read.rows,
      ]),
    }
  }

  /** ALTER may have changed rows without being counted as a write. */
  async #checkDefinitions(snapshot: UserstatSnapshot): Promise<void> {
    const moved = this.#isDoubtful ? 'rows' : this.#movedBy(snapshot)
    if (moved === undefined) return
    this.#isDoubtful = true
    // What a killed session announced would lead to one more check.
    await this.#own.enter()
    await this.#context.definitions.check(this.ownStatements)
    this.#isDoubtful = moved === 'rows'
  }

  #movedBy({ definitions: { counts, done } }: UserstatSnapshot) {
    return this.#context.definitions.moved(counts, done)
  }

  /** The counts are read before the scan: what is written in the meantime is news. */
  async #byScan(scan: () => Promise<Outcome>): Promise<CounterOutcome> {
    const { connection, program, own } = this.#context
    const isAvailable = (await whyNotUserstat(connection, program)) === undefined
    if (isAvailable && own.statements === undefined) {
      await this.#own.enter()
      own.statements = this.#own
    }
    const known = isAvailable ? await this.#detector.measure() : undefined
    this.#detector.adopt(undefined)
    const outcome = await scan()
    this.#detector.adopt(known)
    this.#detector.ran(outcome)
    this.#isDoubtful = false
    return { outcome, needsSnapshot: false }
  }
}

/** Derives what was dirty from what was restored: the counts include rows that were rolled back. */
function touchedBy(
  outcome: Outcome,
  steps: readonly { readonly kind: string; readonly tables?: readonly string[]; readonly table?: string }[],
  { due, moved }: { readonly due: ReadonlySet<string>; readonly moved: ReadonlySet<SequenceId> },
): Outcome {
  const ran = outcome.ran.filter(({ step, rows = 0, truncated }) => {
    const kind = steps[step]?.kind
    return truncated || kind === 'restart' || kind === 'truncate' || (kind !== 'check' && rows > 0)
  })
  const tables = ran.flatMap(({ step: index }) => {
    const step = steps[index]
    return step?.tables ?? (step?.table === undefined ? [] : [step.table])
  })
  return {
    ...outcome,
    detector: 'counters',
    dirty: [...new Set([...tables.filter((id) => due.has(id)), ...moved])],
    ran,
  }
}
