import type { Outcome } from '../engine/resetter.ts'
import type { Plan } from '../plan/plan.ts'
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

interface Counts {
  gone: number
  back: number
  isCounted: boolean
}

/** Computed from the steps that ran. Pure. */
export function tableWrites(schema: Schema, plan: Plan, { ran, dirty }: Outcome): TableWrites[] {
  const wasWritten = new Set(dirty)
  const populated = new Set(plan.populated)
  const counts = new Map<TableId, Counts>()
  const of = (id: TableId): Counts => {
    const known = counts.get(id) ?? { gone: 0, back: 0, isCounted: true }
    counts.set(id, known)
    return known
  }
  for (const { step: index, rows, truncated } of ran) {
    const step = plan.steps[index]
    switch (step?.kind) {
      case 'delete':
      case 'truncate':
        for (const id of step.tables) {
          const table = of(id)
          // If baseline rows are deleted as well, the number of changed rows is unknown.
          const isExact = rows !== undefined && !truncated && step.tables.length === 1 && !populated.has(id)
          if (isExact) table.gone += rows
          else table.isCounted = false
        }
        break
      case 'delete-differing':
        if (rows === undefined) of(step.table).isCounted = false
        else of(step.table).gone += rows
        break
      case 'insert-missing':
        for (const id of step.tables) {
          const table = of(id)
          if (rows === undefined || step.tables.length > 1) table.isCounted = false
          else table.back += rows
        }
        break
    }
  }
  return [...counts].flatMap(([id, { gone, back, isCounted }]): TableWrites[] => {
    const table = tableOf(schema, id).label
    // With constraints on, tables that reference a dirty one are emptied and filled with it.
    if (!wasWritten.has(id)) return []
    if (!isCounted) return [{ table, inserted: undefined, updated: undefined, deleted: undefined }]
    const changed = Math.min(gone, back)
    return gone + back === 0
      ? []
      : [{ table, inserted: gone - changed, updated: changed, deleted: back - changed }]
  })
}
