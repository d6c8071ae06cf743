import type { Machine } from '../../src/bench/machine.ts'
import type { Kind } from './method.ts'

/** The content of results.json. Times are in milliseconds. */
export interface Results {
  readonly format: 1
  readonly date: string
  readonly machine: Machine
  readonly settings: Settings
  readonly packages: Readonly<Record<string, string>>
  readonly servers: readonly { readonly id: string; readonly title: string; readonly version: string }[]
  readonly methods: readonly MethodInfo[]
  readonly cells: readonly Cell[]
}

export interface Settings {
  /** The most and the fewest rounds of a method in a cell. */
  readonly rounds: number
  readonly leastRounds: number
  /**
   * Milliseconds for a peer in a cell, including writes; afresh, hand-written SQL and SELECT 1 get six times
   * as much.
   */
  readonly budgetMs: number
  /** A peer whose reset would take longer, extrapolated from fewer tables, is left out. */
  readonly tooSlowMs: number
  /** Shared by the servers. A server that exceeds its share leaves out its peers. */
  readonly minutes: number
  readonly rowsPerTable: number
  readonly seed: number
  readonly tookSeconds: number
}

export interface MethodInfo {
  readonly id: string
  readonly label: string
  readonly kind: Kind
  readonly source: string
  readonly note: string | undefined
}

export interface Where {
  readonly server: string
  readonly tables: number
  /** The number of tables that the test writes to. */
  readonly dirty: number
  /** `reference`: one more table, with baseline rows, which the test changes too. */
  readonly baseline: 'empty' | 'reference'
}

export type Cell = Where & { readonly method: string } & (Timed | Untimed)

export interface Timed {
  readonly outcome: 'measured'
  readonly n: number
  readonly median: number
  readonly q1: number
  readonly q3: number
  /** From the first round only, since more would take too long. */
  readonly cold: boolean
  /**
   * What it does not restore, as observed: `rows`, `ids`, `reference rows`, `writes of other connections`.
   */
  readonly leaves: readonly string[]
}

export interface Untimed {
  readonly outcome: 'failed' | 'left out'
  readonly reason: string
}

/** The fastest hand-written SQL, for ratios. */
export function bestByHand(
  results: Pick<Results, 'methods' | 'cells'>,
  where: Where,
): (Cell & Timed) | undefined {
  const hands = new Set(results.methods.filter(({ kind }) => kind === 'hand').map(({ id }) => id))
  return cellsAt(results, where)
    .filter((cell): cell is Cell & Timed => cell.outcome === 'measured' && hands.has(cell.method))
    .toSorted((a, b) => a.median - b.median)[0]
}

export function cellsAt({ cells }: Pick<Results, 'cells'>, where: Where): Cell[] {
  return cells.filter(
    (cell) =>
      cell.server === where.server &&
      cell.tables === where.tables &&
      cell.dirty === where.dirty &&
      cell.baseline === where.baseline,
  )
}

/** The median of one method, or `undefined` if it was not measured. */
export function medianOf(results: Pick<Results, 'cells'>, where: Where, method: string): number | undefined {
  const cell = cellsAt(results, where).find((candidate) => candidate.method === method)
  return cell?.outcome === 'measured' ? cell.median : undefined
}
