import type { MethodId } from '../engine/bench-dialect.ts'
import { type Case, rowBytes } from './cases.ts'
import type { CellGroup } from './cell-group.ts'
import { METHODS } from './methods.ts'
import type { Cell } from './results.ts'

/** Larger tables are left out. */
const MOST_BYTES = 6 * 2 ** 30

/** The methods to measure in a case. If other tables reference the table, they include TRUNCATE CASCADE. */
export function methodsIn({ id, shape }: Case, methods: readonly MethodId[]): MethodId[] {
  if (id === 'base') return [...methods]
  const everywhere = METHODS.filter((method) => method.everywhere).map((method) => method.id)
  const cascade = shape.children || shape.incoming !== 'none'
  return methods.filter((method) => everywhere.includes(method) || (cascade && method === 'truncate-cascade'))
}

/** Why a group is not measured, as a phrase; `undefined` if it is. */
export function reasonAgainst({ rows, case: { shape } }: CellGroup): string | undefined {
  if (rows < shape.tables && shape.tables > 1) return 'there are fewer rows than tables'
  const bytes = rows * rowBytes(shape)
  return bytes > MOST_BYTES ? `they would take ${(bytes / 2 ** 30).toFixed(0)} GiB` : undefined
}

export function without(
  { server, case: { id }, rows, methods }: CellGroup,
  outcome: 'not possible' | 'left out',
  reason: string,
): Cell[] {
  return methods.map((method) => ({ server, case: id, rows, method, outcome, reason }))
}

export function groupedByCase(groups: readonly CellGroup[]): CellGroup[][] {
  const ids = [...new Set(groups.map((group) => group.case.id))]
  return ids.map((id) => groups.filter((group) => group.case.id === id))
}
