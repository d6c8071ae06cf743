import type { Statement } from '../engine/erase-dialect.ts'
import type { TableId } from '../schema/schema.ts'
import { labelOf } from './options.ts'
import { deletingInto, type ErasePlan } from './plan.ts'
import type { EraseStatement } from './statement.ts'

/** What happened to the rows of one table. */
export interface ErasedTable {
  readonly table: string
  /** Number of deleted rows; `undefined` if the server deleted them (`cascade: 'declared'`), uncounted. */
  readonly deleted: number | undefined
  /** Number of rows that stay, with another value in a foreign key; `undefined` as above. */
  readonly changed: number | undefined
  /** Number of rows that were marked as deleted. */
  readonly marked: number
  /** Number of rows that were copied into the archive table. */
  readonly archived: number
}

/** What an erase did, or with `dryRun` would do: rows by table, and the statements in their order. */
export interface EraseReport {
  /** Whether nothing was changed: the numbers are those that an erase would have. */
  readonly dryRun: boolean
  /** Every table whose rows could be deleted or changed, children before parents, even if none were. */
  readonly tables: readonly ErasedTable[]
  /** Number of rows that were deleted or marked, in all tables together, as far as they were counted. */
  readonly rows: number
  /** The statements in order; with batches, those of the first. */
  readonly statements: readonly Pick<Statement, 'sql' | 'values'>[]
  /** Number of transactions. */
  readonly batches: number
  readonly durationMs: number
}

/** Sums up the numbers of rows of statements. */
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

  /** Adds the numbers of a transaction. */
  take(other: RowCounter): void {
    for (const [name, number] of other.#numbers) {
      this.#numbers.set(name, (this.#numbers.get(name) ?? 0) + number)
    }
  }

  of(about: EraseStatement['about'], table: TableId): number {
    return this.#numbers.get(`${about} ${table}`) ?? 0
  }

  /** Rows that were deleted or marked; those that the server deletes itself, as counted before. */
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

  /** @param seen whether rows that ON DELETE deletes were counted */
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
