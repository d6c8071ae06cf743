import { OWN_FACTOR } from '../cases.ts'
import type { BenchResults } from '../results.ts'

type Case = Pick<BenchResults['cases'][number], 'id' | 'factor'>

/** Whether the case is a table of the user. */
export function isOwnTable({ factor }: Pick<Case, 'factor'>): boolean {
  return factor === OWN_FACTOR
}

/** The id of the case that all others are compared with. A table of the user is never the base case. */
export function baseCaseOf({ cases }: { readonly cases: readonly Case[] }): string | undefined {
  return cases.find((benchCase) => benchCase.id === 'base' && !isOwnTable(benchCase))?.id
}
