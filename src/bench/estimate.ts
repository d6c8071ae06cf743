import type { CellGroup } from './cell-group.ts'

/** Estimates the remaining time from what was measured so far. */
export class Estimate {
  #left: readonly CellGroup[]
  readonly #all: number
  readonly #budgetMs: number
  /** Total milliseconds and number of methods of all groups so far, by number of rows. */
  readonly #costs = new Map<number, { ms: number; methods: number }>()

  constructor(groups: readonly CellGroup[], budgetMs: number) {
    this.#left = groups
    this.#all = groups.length
    this.#budgetMs = budgetMs
  }

  took({ rows, methods }: CellGroup, ms: number): void {
    const known = this.#costs.get(rows) ?? { ms: 0, methods: 0 }
    this.#costs.set(rows, { ms: known.ms + ms, methods: known.methods + methods.length })
  }

  done(group: CellGroup): void {
    this.#left = this.#left.filter(
      ({ server, case: { id }, rows }) =>
        server !== group.server || id !== group.case.id || rows !== group.rows,
    )
  }

  /** A line with the current group and the remaining time. */
  line({ server, case: { id }, rows }: CellGroup): string {
    const progress = `${this.#all - this.#left.length + 1}/${this.#all}`
    const leftMs = this.leftMs()
    const rest = leftMs === undefined ? '' : `, about ${minutes(leftMs)} left`
    return `${progress}  ${server}, ${id}, ${rows.toLocaleString('en-US')} rows${rest}`
  }

  /** Milliseconds; `undefined` before the first measurement. */
  leftMs(): number | undefined {
    if (this.#costs.size === 0) return undefined
    return this.#left.reduce((sum, { rows, methods }) => sum + methods.length * this.#costOf(rows), 0)
  }

  /** Milliseconds of one method. If this size was not measured, scaled from the nearest size. */
  #costOf(rows: number): number {
    const known = [...this.#costs].map(([index, { ms, methods }]) => ({ index, ms: ms / methods }))
    const [nearest] = known.toSorted((a, b) => distance(a.index, rows) - distance(b.index, rows))
    if (nearest === undefined) return 0
    const grown = rows > nearest.index ? nearest.ms * (rows / Math.max(1, nearest.index)) : nearest.ms
    // Many rows take longer than the budget, because at least one round always runs.
    return nearest.index === rows ? nearest.ms : Math.min(grown, 3 * this.#budgetMs)
  }
}

function distance(a: number, b: number): number {
  return Math.abs(Math.log10(a + 1) - Math.log10(b + 1))
}

function minutes(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} min`
}
