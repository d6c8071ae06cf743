import type { Statement } from '../engine/erase-dialect.ts'
import type { TableId } from '../schema/schema.ts'
import { labelOf } from './options.ts'
import { deletingInto, type ErasePlan } from './plan.ts'
import type { EraseStatement } from './statement.ts'

/** What became of the rows of one table. */
export interface ErasedTable {
  readonly table: string
  /** How many rows went; `undefined` where the server let them go by itself (`cascade: 'declared'`). */
  readonly deleted: number | undefined
  /** How many stay, with another value in a foreign key; `undefined` as above. */
  readonly changed: number | undefined
  /** How many were marked as deleted. */
  readonly marked: number
  /** How many were copied into the archive table. */
  readonly archived: number
}

/** What an erase did, or with `dryRun` would do: rows by table, and the statements in the order in which they ran. */
export interface EraseReport {
  /** Nothing was changed: these are the numbers that there would be. */
  readonly dryRun: boolean
  /** Every table that rows could go from or change in, children before parents, whether there were any or not. */
  readonly tables: readonly ErasedTable[]
  /** How many rows went, or were marked, in all tables together, as far as they were counted. */
  readonly rows: number
  /** In order; with batches, those of the first. */
  readonly statements: readonly Pick<Statement, 'sql' | 'values'>[]
  /** How many transactions it took. */
  readonly batches: number
  readonly durationMs: number
}

/** Adds numbers up as they come in. */
export class RowCounter {
  readonly #plan: ErasePlan
  readonly #numbers = new Map<string, number>()

  constructor(plan: ErasePlan) {
    this.#plan = plan
  }

  add({ about, tables }: EraseStatement, numbers: readonly number[]): void {
    for (const [index, table] of tables.entries()) {
      const name = `${about} ${table}`
      this.#numbers.set(name, (this.#numbers.get(name) ?? 0) + (numbers[index] ?? 0))
    }
  }

  /** Takes the numbers of a transaction over. */
  take(other: RowCounter): void {
    for (const [name, number] of other.#numbers) {
      this.#numbers.set(name, (this.#numbers.get(name) ?? 0) + number)
    }
  }

  of(about: EraseStatement['about'], table: TableId): number {
    return this.#numbers.get(`${about} ${table}`) ?? 0
  }

  /** The rows that went, or were marked; what the server takes along by itself as it was counted. */
  get gone(): number {
    return Math.max(this.all('count'), this.all('deleted') + this.all('marked'))
  }

  /** In all tables together. */
  all(about: EraseStatement['about']): number {
    return [...this.#numbers].reduce(
      (sum, [name, number]) => (name.startsWith(`${about} `) ? sum + number : sum),
      0,
    )
  }

  /** @param seen whether rows that ON DELETE takes along were counted */
  tables(seen: boolean): ErasedTable[] {
    const plan = this.#plan
    const isDeclared = plan.cascade === 'declared'
    const gone = plan.groups.flatMap(({ tables }) => tables)
    const all = [...gone, ...plan.changed.filter((id) => !gone.includes(id))]
    const isLeft = (id: TableId) =>
      isDeclared && (!plan.targets.includes(id) || deletingInto(plan, id).length > 0)
    return all.map((id) => ({
      table: labelOf(plan.schema, id),
      deleted: isLeft(id) ? (seen ? this.of('count', id) : undefined) : this.of('deleted', id),
      changed: isDeclared && !seen ? undefined : this.of('changed', id),
      marked: this.of('marked', id),
      archived: this.of('archived', id),
    }))
  }
}

export function reportOf(
  tables: readonly ErasedTable[],
  rest: Pick<EraseReport, 'dryRun' | 'statements' | 'batches' | 'durationMs'>,
): EraseReport {
  return {
    ...rest,
    tables,
    rows: tables.reduce((sum, { deleted = 0, marked }) => sum + deleted + marked, 0),
  }
}
