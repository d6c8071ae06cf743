import type { MethodId } from '../engine/bench-dialect.ts'
import { type Case, rowBytes } from './cases.ts'
import type { CellGroup } from './cell-group.ts'
import { METHODS } from './methods.ts'
import type { Cell } from './results.ts'

/** Larger tables are left out. */
const MOST_BYTES = 6 * 2 ** 30

/** The methods to measure in a case. If other tables reference the table, they include TRUNCATE CASCADE. */
export function waysIn({ id, shape }: Case, ways: readonly MethodId[]): MethodId[] {
  if (id === 'base') return [...ways]
  const everywhere = METHODS.filter((way) => way.everywhere).map((way) => way.id)
  const cascade = shape.children || shape.incoming !== 'none'
  return ways.filter((way) => everywhere.includes(way) || (cascade && way === 'truncate-cascade'))
}

/** Why a group is not measured, as a phrase; `undefined` if it is. */
export function reasonAgainst({ rows, case: { shape } }: CellGroup): string | undefined {
  if (rows < shape.tables && shape.tables > 1) return 'there are fewer rows than tables'
  const bytes = rows * rowBytes(shape)
  return bytes > MOST_BYTES ? `they would take ${(bytes / 2 ** 30).toFixed(0)} GiB` : undefined
}

export function without(
  { server, case: { id }, rows, ways }: CellGroup,
  outcome: 'not possible' | 'left out',
  reason: string,
): Cell[] {
  return ways.map((way) => ({ server, case: id, rows, way, outcome, reason }))
}

export function groupedByCase(groups: readonly CellGroup[]): CellGroup[][] {
  const ids = [...new Set(groups.map((group) => group.case.id))]
  return ids.map((id) => groups.filter((group) => group.case.id === id))
}
