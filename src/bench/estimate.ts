import type { CellGroup } from './cell-group.ts'

/** How long the rest will take, by what was measured until now. */
export class Estimate {
  #left: readonly CellGroup[]
  readonly #all: number
  readonly #budgetMs: number
  /** Milliseconds of one way, by rows: of all groups until now. */
  readonly #costs = new Map<number, { ms: number; ways: number }>()

  constructor(groups: readonly CellGroup[], budgetMs: number) {
    this.#left = groups
    this.#all = groups.length
    this.#budgetMs = budgetMs
  }

  took({ rows, ways }: CellGroup, ms: number): void {
    const known = this.#costs.get(rows) ?? { ms: 0, ways: 0 }
    this.#costs.set(rows, { ms: known.ms + ms, ways: known.ways + ways.length })
  }

  done(group: CellGroup): void {
    this.#left = this.#left.filter(
      ({ server, case: { id }, rows }) =>
        server !== group.server || id !== group.case.id || rows !== group.rows,
    )
  }

  /** What is measured now, and how long the rest will take. */
  line({ server, case: { id }, rows }: CellGroup): string {
    const progress = `${this.#all - this.#left.length + 1}/${this.#all}`
    const left = this.leftMs()
    const rest = left === undefined ? '' : `, about ${minutes(left)} left`
    return `${progress}  ${server}, ${id}, ${rows.toLocaleString('en-US')} rows${rest}`
  }

  /** Milliseconds; `undefined` until something was measured. */
  leftMs(): number | undefined {
    if (this.#costs.size === 0) return undefined
    return this.#left.reduce((sum, { rows, ways }) => sum + ways.length * this.#costOf(rows), 0)
  }

  /** Where it was not measured, that of the nearest number of rows, by which it grows or shrinks. */
  #costOf(rows: number): number {
    const known = [...this.#costs].map(([index, { ms, ways }]) => ({ at: index, ms: ms / ways }))
    const [nearest] = known.toSorted((a, b) => distance(a.at, rows) - distance(b.at, rows))
    if (nearest === undefined) return 0
    const grown = rows > nearest.at ? nearest.ms * (rows / Math.max(1, nearest.at)) : nearest.ms
    // Many rows take longer than the budget, which one round at least may exceed.
    return nearest.at === rows ? nearest.ms : Math.min(grown, 3 * this.#budgetMs)
  }
}

function distance(a: number, b: number): number {
  return Math.abs(Math.log10(a + 1) - Math.log10(b + 1))
}

function minutes(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} min`
}
