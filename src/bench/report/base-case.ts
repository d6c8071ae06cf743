import { OWN_FACTOR } from '../cases.ts'
import type { BenchResults } from '../results.ts'

type Case = Pick<BenchResults['cases'][number], 'id' | 'factor'>

/** Whether it is a table of somebody's. */
export function isOwnTable({ factor }: Pick<Case, 'factor'>): boolean {
  return factor === OWN_FACTOR
}

/** The id of the case that all others are held against. No table of somebody's is that, whatever it is called. */
export function baseCaseOf({ cases }: { readonly cases: readonly Case[] }): string | undefined {
  return cases.find((benchCase) => benchCase.id === 'base' && !isOwnTable(benchCase))?.id
}
