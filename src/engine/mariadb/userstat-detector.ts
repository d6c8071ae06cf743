import { tablesOfStep } from '../../plan/plan.ts'
import { graphOf, reachable } from '../../schema/graph.ts'
import type { SubjectId, TableId } from '../../schema/schema.ts'
import { sleep } from '../../util/clock.ts'
import { cascades } from '../mysql/counters.ts'
import { MARK_TABLE } from '../mysql/introspect.ts'
import type { Result } from '../mysql/mysql-connection.ts'
import type { OwnStatements } from '../mysql/own-statements.ts'
import { type ResetContext, runProved } from '../mysql/reset-context.ts'
import { queryTogether } from '../mysql/session.ts'
import { type TrackedTable, trackedTables } from '../mysql/tracked-tables.ts'
import type { Outcome } from '../resetter.ts'
import { wasSwitched } from './userstat.ts'
import type { Changes, FullUserstatSnapshot, SnapshotQueries, UserstatSnapshot } from './userstat-snapshot.ts'

/** What a snapshot is compared with. */
export interface Known {
  readonly uncounted: number
  readonly settings: number
  readonly flushes: number
  readonly failures: string | undefined
  readonly ownTableChanges: number
  readonly tables: ReadonlyMap<string, Changes>
}

export interface UserstatResult {
  /** `changed`: rows may have changed without being counted. `unreliable`: the counts are of no use. */
  readonly state: 'counted' | 'changed' | 'unreliable'
  readonly snapshot: UserstatSnapshot
  /** The tables that may be dirty, and how many rows were inserted into each; 0 if that is unknown. */
  readonly due: ReadonlyMap<TrackedTable, number>
  /** Whether an insert may have failed, which moves AUTO_INCREMENT and is not counted. */
  readonly mayHaveMoved: boolean
}

/** How often, at intervals of 1 ms, a snapshot is repeated while another session's reset is sending its statements. */
const TRIES = 50

const NONE: Changes = { changed: 0, inserted: 0 }

/** Detects the writes to one database by `information_schema.TABLE_STATISTICS`. */
export class UserstatDetector {
  readonly tracked: readonly TrackedTable[]
  readonly #context: ResetContext
  readonly #own: OwnStatements
  readonly #queries: SnapshotQueries
  readonly #byName: ReadonlyMap<string, TrackedTable>
  readonly #descendants: (table: TrackedTable) => readonly TrackedTable[]
  /** Tables that are due although the counts do not say so. */
  readonly #marked = new Set<TrackedTable>()
  #known: Known | undefined

  constructor(context: ResetContext, own: OwnStatements, queries: SnapshotQueries) {
    this.#context = context
    this.#own = own
    this.#queries = queries
    this.tracked = trackedTables(context.program)
    this.#byName = new Map(this.tracked.map((table) => [table.name, table]))
    this.#descendants = descendantsOf(context, this.tracked)
  }

  /** What a later `adopt` takes as the state in which nothing is dirty. */
  async measure(): Promise<Known> {
    let snapshot = await this.#fullSnapshot()
    if (!snapshot.isPresent) await this.#own.enter()
    for (let tries = 0; tries < TRIES && (!snapshot.isPresent || isUncertain(snapshot)); tries += 1) {
      if (tries > 0) await sleep(1)
      snapshot = await this.#fullSnapshot()
    }
    if (isUncertain(snapshot)) {
      await this.#own.enter()
      snapshot = await this.#fullSnapshot()
    }
    return { ...snapshot, ...snapshot.lowerBounds }
  }

  /** `undefined`: the counts are of no use until the next `adopt`. */
  adopt(known: Known | undefined): void {
    this.#known = known
    this.#marked.clear()
  }

  /** Takes what a snapshot found as restored. */
  settle({ snapshot }: UserstatResult): void {
    if (this.#known === undefined) return
    const { tables, failures } = snapshot
    this.adopt({ ...this.#known, tables, failures })
  }

  /** Makes the next `find` report these subjects. */
  mark(dirty: readonly SubjectId[]): void {
    const ids = new Set(dirty)
    for (const table of this.tracked)
      if (table.subjects.some((subject) => ids.has(subject))) this.#marked.add(table)
  }

  /** Counts the rows that a reset changed as known. A TRUNCATE changes no count. */
  ran({ ran }: Outcome): void {
    if (this.#known === undefined) return
    const tables = new Map(this.#known.tables)
    for (const { step: index, rows = 0 } of ran) {
      const step = this.#context.program.plan.steps[index]
      const [id, ...others] = step === undefined ? [] : tablesOfStep(step)
      const name = this.tracked.find(({ table }) => table?.id === id)?.name
      if (rows === 0 || name === undefined || others.length > 0) continue
      const { changed, inserted } = tables.get(name) ?? NONE
      const isInsert = step?.kind === 'insert-missing'
      tables.set(name, { changed: changed + rows, inserted: inserted + (isInsert ? rows : 0) })
    }
    this.#known = { ...this.#known, tables }
  }

  /** @param isMoved whether definitions may have changed */
  async find(isMoved: (snapshot: UserstatSnapshot) => boolean): Promise<UserstatResult> {
    const known = this.#known
    const isSuspect = (snapshot: UserstatSnapshot) =>
      snapshot.uncounted !== known?.uncounted || isMoved(snapshot)
    const snapshot = await this.#snapshot()
    if (known === undefined || !isReliable(snapshot, known)) return resultOf('unreliable', snapshot)
    if (!isSuspect(snapshot) && snapshot.settings === known.settings) return this.#compare(snapshot, known)
    return this.#compareClosely(known, isSuspect)
  }

  /** Resets in other sessions may have been sending their statements during the snapshot. */
  async #compareClosely(
    known: Known,
    isSuspect: (snapshot: UserstatSnapshot) => boolean,
  ): Promise<UserstatResult> {
    let snapshot = await this.#fullSnapshot()
    for (let tries = 0; tries < TRIES && snapshot.isUnderWay && isSuspect(snapshot); tries += 1) {
      await sleep(1)
      snapshot = await this.#fullSnapshot()
    }
    if (!isReliable(snapshot, known)) return resultOf('unreliable', snapshot)
    if (snapshot.settings !== known.settings) {
      if (await wasSwitched(this.#context.connection)) return resultOf('unreliable', snapshot)
      this.#known = { ...known, settings: snapshot.lowerBounds.settings }
    }
    return snapshot.uncounted === known.uncounted
      ? this.#compare(snapshot, known)
      : resultOf('changed', snapshot)
  }

  #compare(snapshot: UserstatSnapshot, known: Known): UserstatResult {
    const due = new Map([...this.#marked].map((table) => [table, 0]))
    const mayCascade = new Set(this.#marked)
    for (const [name, { changed, inserted }] of snapshot.tables) {
      const table = this.#byName.get(name)
      if (table === undefined) {
        if (name !== MARK_TABLE && !name.startsWith('#sql')) return resultOf('changed', snapshot)
        continue
      }
      const before = known.tables.get(name) ?? NONE
      if (changed === before.changed) continue
      due.set(table, inserted - before.inserted)
      if (changed - before.changed !== inserted - before.inserted) mayCascade.add(table)
    }
    for (const table of mayCascade)
      for (const child of this.#descendants(table)) due.set(child, due.get(child) ?? 0)
    const mayHaveMoved = snapshot.failures === undefined || snapshot.failures !== known.failures
    return { state: 'counted', snapshot, due, mayHaveMoved }
  }

  async #snapshot(): Promise<UserstatSnapshot> {
    return this.#queries.read(await this.#ask(this.#queries.statements))
  }

  async #fullSnapshot(): Promise<FullUserstatSnapshot> {
    const { statements, last } = this.#queries
    return this.#queries.readFull(await this.#ask([...statements, last]))
  }

  async #ask(statements: readonly string[]): Promise<readonly Result[]> {
    const { connection, proof } = this.#context
    try {
      return (await queryTogether(connection, [...proof, ...statements])).slice(proof.length)
    } catch {
      // Sent again as a batch, which says which of them failed.
      return runProved(this.#context, statements, () => undefined, { isRecorded: false })
    }
  }
}

function resultOf(state: UserstatResult['state'], snapshot: UserstatSnapshot): UserstatResult {
  return { state, snapshot, due: new Map(), mayHaveMoved: true }
}

/** Whether resets in other sessions were sending statements during the snapshot. */
function isUncertain({ lowerBounds, uncounted, settings }: FullUserstatSnapshot): boolean {
  return uncounted !== lowerBounds.uncounted || settings !== lowerBounds.settings
}

function isReliable(snapshot: UserstatSnapshot, known: Known): boolean {
  if (!snapshot.isCounting || !snapshot.isPresent) return false
  if (snapshot.flushes !== known.flushes || snapshot.ownTableChanges < known.ownTableChanges) return false
  return [...known.tables].every(
    ([name, { changed }]) => (snapshot.tables.get(name) ?? NONE).changed >= changed,
  )
}

/** The tables that InnoDB's cascades may write to, uncounted, directly or indirectly. */
function descendantsOf(
  { program: { schema } }: ResetContext,
  tracked: readonly TrackedTable[],
): (table: TrackedTable) => readonly TrackedTable[] {
  const byId = new Map<TableId, TrackedTable>(
    tracked.flatMap((entry) => (entry.table === undefined ? [] : [[entry.table.id, entry] as const])),
  )
  const { children } = graphOf({ ...schema, foreignKeys: schema.foreignKeys.filter(cascades) })
  return ({ table }) =>
    table === undefined ? [] : reachable([table.id], children).flatMap((id) => byId.get(id) ?? [])
}
