import { setTimeout as sleep } from 'node:timers/promises'
import { tablesOfStep } from '../../plan/plan.ts'
import { graphOf, reachable } from '../../schema/graph.ts'
import type { SubjectId, TableId } from '../../schema/schema.ts'
import { cascades } from '../mysql/counters.ts'
import { MARK_TABLE } from '../mysql/introspect.ts'
import type { OwnStatements } from '../mysql/own-statements.ts'
import { type ResetContext, runProved } from '../mysql/reset-context.ts'
import { queryTogether } from '../mysql/session.ts'
import { type TrackedTable, trackedTables } from '../mysql/tracked-tables.ts'
import type { Outcome } from '../resetter.ts'
import { wasSwitched } from './userstat.ts'
import type { Changes, Look, LookQueries } from './userstat-look.ts'

/** What a look is compared with. */
export interface Known {
  readonly uncounted: number
  readonly setters: number
  readonly flushes: number
  readonly failures: string | undefined
  readonly pulse: number
  readonly tables: ReadonlyMap<string, Changes>
}

export interface UserstatResult {
  /** `changed`: rows may have changed without being counted. `unreliable`: the counts are of no use. */
  readonly state: 'counted' | 'changed' | 'unreliable'
  readonly look: Look
  /** The tables that may be dirty. */
  readonly due: ReadonlySet<TrackedTable>
  /** Whether an insert may have failed, which moves AUTO_INCREMENT and is not counted. */
  readonly mayHaveMoved: boolean
}

/** How often, at intervals of 1 ms, a look is repeated while another session's reset is sending its statements. */
const TRIES = 50

const NONE: Changes = { changed: 0, inserted: 0 }

/** Detects the writes to one database by `information_schema.TABLE_STATISTICS`. */
export class UserstatDetector {
  readonly tracked: readonly TrackedTable[]
  readonly #context: ResetContext
  readonly #own: OwnStatements
  readonly #queries: LookQueries
  readonly #byName: ReadonlyMap<string, TrackedTable>
  readonly #descendants: (table: TrackedTable) => readonly TrackedTable[]
  /** Tables that are due although the counts do not say so. */
  readonly #marked = new Set<TrackedTable>()
  #known: Known | undefined

  constructor(context: ResetContext, own: OwnStatements, queries: LookQueries) {
    this.#context = context
    this.#own = own
    this.#queries = queries
    this.tracked = trackedTables(context.program)
    this.#byName = new Map(this.tracked.map((table) => [table.name, table]))
    this.#descendants = descendantsOf(context, this.tracked)
  }

  /** What a later `adopt` takes as the state in which nothing is dirty. */
  async measure(): Promise<Known> {
    let look = await this.#look()
    if (!look.isPresent) await this.#own.enter()
    for (let tries = 0; tries < TRIES && (!look.isPresent || isBetween(look)); tries += 1) {
      if (tries > 0) await sleep(1)
      look = await this.#look()
    }
    if (isBetween(look)) {
      await this.#own.enter()
      look = await this.#look()
    }
    const { uncounted, setters } = look
    return { ...look, uncounted: uncounted.least, setters: setters.least }
  }

  /** `undefined`: the counts are of no use until the next `adopt`. */
  adopt(known: Known | undefined): void {
    this.#known = known
    this.#marked.clear()
  }

  /** Takes what a look found as restored. */
  settle({ look }: UserstatResult): void {
    if (this.#known === undefined) return
    const { tables, failures } = look
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
  async find(isMoved: (look: Look) => boolean): Promise<UserstatResult> {
    for (let tries = 0; ; tries += 1) {
      const look = await this.#look()
      const known = this.#known
      if (known === undefined || !isReliable(look, known)) return resultOf('unreliable', look)
      const isSuspect = look.uncounted.most !== known.uncounted || isMoved(look)
      if (isSuspect && look.isUnderWay && tries < TRIES) {
        await sleep(1)
        continue
      }
      if (look.setters.most !== known.setters) {
        if (await wasSwitched(this.#context.connection)) return resultOf('unreliable', look)
        this.#known = { ...known, setters: look.setters.least }
      }
      if (look.uncounted.most !== known.uncounted) return resultOf('changed', look)
      return this.#compare(look, known)
    }
  }

  #compare(look: Look, known: Known): UserstatResult {
    const due = new Set(this.#marked)
    const mayCascade = new Set(this.#marked)
    for (const [name, { changed, inserted }] of look.tables) {
      const table = this.#byName.get(name)
      if (table === undefined) {
        if (name !== MARK_TABLE && !name.startsWith('#sql')) return resultOf('changed', look)
        continue
      }
      const before = known.tables.get(name) ?? NONE
      if (changed === before.changed) continue
      due.add(table)
      if (changed - before.changed !== inserted - before.inserted) mayCascade.add(table)
    }
    for (const table of mayCascade) for (const child of this.#descendants(table)) due.add(child)
    const mayHaveMoved = look.failures === undefined || look.failures !== known.failures
    return { state: 'counted', look, due, mayHaveMoved }
  }

  async #look(): Promise<Look> {
    const { connection, proof } = this.#context
    const { statements, read } = this.#queries
    try {
      return read((await queryTogether(connection, [...proof, ...statements])).slice(proof.length))
    } catch {
      // Sent again as a batch, which says which of them failed.
    }
    return read(await runProved(this.#context, statements, () => undefined, { isRecorded: false }))
  }
}

function resultOf(state: UserstatResult['state'], look: Look): UserstatResult {
  return { state, look, due: new Set(), mayHaveMoved: true }
}

/** Whether resets in other sessions were sending statements during the look. */
function isBetween({ uncounted, setters }: Look): boolean {
  return uncounted.most !== uncounted.least || setters.most !== setters.least
}

function isReliable(look: Look, known: Known): boolean {
  if (!look.isCounting || !look.isPresent) return false
  if (look.flushes !== known.flushes || look.pulse < known.pulse) return false
  return [...known.tables].every(([name, { changed }]) => (look.tables.get(name) ?? NONE).changed >= changed)
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
