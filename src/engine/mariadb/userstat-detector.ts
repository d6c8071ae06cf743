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
import type { Changes, FullLook, Look, LookQueries } from './userstat-look.ts'

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
  /** The tables that may be dirty, and how many rows were inserted into each; 0 if that is unknown. */
  readonly due: ReadonlyMap<TrackedTable, number>
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
    let look = await this.#fullLook()
    if (!look.isPresent) await this.#own.enter()
    for (let tries = 0; tries < TRIES && (!look.isPresent || isBetween(look)); tries += 1) {
      if (tries > 0) await sleep(1)
      look = await this.#fullLook()
    }
    if (isBetween(look)) {
      await this.#own.enter()
      look = await this.#fullLook()
    }
    return { ...look, ...look.least }
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
    const known = this.#known
    const isSuspect = (look: Look) => look.uncounted !== known?.uncounted || isMoved(look)
    const look = await this.#look()
    if (known === undefined || !isReliable(look, known)) return resultOf('unreliable', look)
    if (!isSuspect(look) && look.setters === known.setters) return this.#compare(look, known)
    return this.#lookCloser(known, isSuspect)
  }

  /** Resets in other sessions may have been sending their statements during the look. */
  async #lookCloser(known: Known, isSuspect: (look: Look) => boolean): Promise<UserstatResult> {
    let look = await this.#fullLook()
    for (let tries = 0; tries < TRIES && look.isUnderWay && isSuspect(look); tries += 1) {
      await sleep(1)
      look = await this.#fullLook()
    }
    if (!isReliable(look, known)) return resultOf('unreliable', look)
    if (look.setters !== known.setters) {
      if (await wasSwitched(this.#context.connection)) return resultOf('unreliable', look)
      this.#known = { ...known, setters: look.least.setters }
    }
    return look.uncounted === known.uncounted ? this.#compare(look, known) : resultOf('changed', look)
  }

  #compare(look: Look, known: Known): UserstatResult {
    const due = new Map([...this.#marked].map((table) => [table, 0]))
    const mayCascade = new Set(this.#marked)
    for (const [name, { changed, inserted }] of look.tables) {
      const table = this.#byName.get(name)
      if (table === undefined) {
        if (name !== MARK_TABLE && !name.startsWith('#sql')) return resultOf('changed', look)
        continue
      }
      const before = known.tables.get(name) ?? NONE
      if (changed === before.changed) continue
      due.set(table, inserted - before.inserted)
      if (changed - before.changed !== inserted - before.inserted) mayCascade.add(table)
    }
    for (const table of mayCascade)
      for (const child of this.#descendants(table)) due.set(child, due.get(child) ?? 0)
    const mayHaveMoved = look.failures === undefined || look.failures !== known.failures
    return { state: 'counted', look, due, mayHaveMoved }
  }

  async #look(): Promise<Look> {
    return this.#queries.read(await this.#ask(this.#queries.statements))
  }

  async #fullLook(): Promise<FullLook> {
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

function resultOf(state: UserstatResult['state'], look: Look): UserstatResult {
  return { state, look, due: new Map(), mayHaveMoved: true }
}

/** Whether resets in other sessions were sending statements during the look. */
function isBetween({ least, uncounted, setters }: FullLook): boolean {
  return uncounted !== least.uncounted || setters !== least.setters
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
