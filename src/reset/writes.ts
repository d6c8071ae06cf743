import type { Outcome } from '../engine/resetter.ts'
import type { Plan, Step } from '../plan/plan.ts'
import { type Schema, type TableId, tableOf } from '../schema/schema.ts'

/** Rows written to a table since the last reset, derived from the steps of the reset. */
export interface TableWrites {
  /** The table's label. */
  readonly table: string
  /** Rows that are not in the baseline. All counts are `undefined` if the reset did not count rows. */
  readonly inserted: number | undefined
  /** Rows that differ from the baseline. A deleted row and an inserted one also count as one update. */
  readonly updated: number | undefined
  /** Baseline rows that were deleted. */
  readonly deleted: number | undefined
}

/** Rows that a step deleted from a table, and inserted into it; `undefined` if they were not counted. */
interface RowChange {
  readonly table: TableId
  readonly gone: number | undefined
  readonly back: number | undefined
}

/** Computed from the steps that ran. Pure. */
export function tableWrites(schema: Schema, plan: Plan, { ran, dirty }: Outcome): TableWrites[] {
  const wasWritten = new Set(dirty)
  const populated = new Set(plan.populated)
  const totals = new Map<TableId, RowChange>()
  for (const { step: index, rows, truncated } of ran) {
    const step = plan.steps[index]
    if (step === undefined) continue
    for (const { table, gone, back } of changesOf(step, truncated ? undefined : rows, populated)) {
      const before = totals.get(table) ?? { gone: 0, back: 0 }
      totals.set(table, { table, gone: sum(before.gone, gone), back: sum(before.back, back) })
    }
  }
  // With constraints on, tables that reference a dirty one are emptied and filled with it.
  return [...totals.values()]
    .filter(({ table }) => wasWritten.has(table))
    .flatMap((total) => writesOf(tableOf(schema, total.table).label, total))
}

function changesOf(
  step: Step,
  rows: number | undefined,
  populated: ReadonlySet<TableId>,
): readonly RowChange[] {
  switch (step.kind) {
    case 'delete':
    case 'truncate': {
      const isAlone = step.tables.length === 1
      // If baseline rows are deleted as well, the number of changed rows is unknown.
      return step.tables.map((table) => ({
        table,
        gone: isAlone && !populated.has(table) ? rows : undefined,
        back: 0,
      }))
    }
    case 'delete-differing':
      return [{ table: step.table, gone: rows, back: 0 }]
    case 'insert-missing':
      return step.tables.map((table) => ({ table, gone: 0, back: step.tables.length > 1 ? undefined : rows }))
    default:
      return []
  }
}

function writesOf(table: string, { gone, back }: RowChange): TableWrites[] {
  if (gone === undefined || back === undefined)
    return [{ table, inserted: undefined, updated: undefined, deleted: undefined }]
  if (gone + back === 0) return []
  const changed = Math.min(gone, back)
  return [{ table, inserted: gone - changed, updated: changed, deleted: back - changed }]
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b
}
