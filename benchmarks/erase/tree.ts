/** `fan`: ten children per row. `even`: equally many rows in each table. */
export type Shape = 'fan' | 'even'

/** A chain of tables, each of which refers to the previous one. */
export interface Tree {
  readonly shape: Shape
  readonly depth: number
  /** The number of rows to delete in all tables together; equally many stay. */
  readonly rows: number
}

export const SHAPES: readonly Shape[] = ['fan', 'even']
export const MOST_LEVELS = 5
const CHILDREN = 10

/**
 * The number of rows to delete in each table, roots first: at least one each, and exactly `rows` together.
 */
export function levelsOf({ shape, depth, rows }: Tree): number[] {
  const weights = Array.from({ length: depth }, (_, level) => (shape === 'fan' ? CHILDREN ** level : 1))
  const whole = weights.reduce((sum, weight) => sum + weight, 0)
  const counts = weights.map((weight) => Math.max(1, Math.round((rows * weight) / whole)))
  const others = counts.slice(0, -1).reduce((sum, count) => sum + count, 0)
  return [...counts.slice(0, -1), rows - others]
}

/** The number of rows that are deleted with one root, including the root. */
export function rowsPerRoot(tree: Tree): number {
  const [roots = 1] = levelsOf(tree)
  return tree.rows / roots
}

/** `plain`: keys without ON DELETE. `cascading`: ON DELETE CASCADE. `stash`: rows only, without keys. */
export type Family = 'plain' | 'cascading' | 'stash'

const LETTERS: Readonly<Record<Family, string>> = { plain: 'l', cascading: 'c', stash: 's' }

/** @param level counted from 1 */
export function tableOf(family: Family, level: number): string {
  return `${LETTERS[family]}${level}`
}

export function tablesOf(family: Family, depth: number): string[] {
  return Array.from({ length: depth }, (_, index) => tableOf(family, index + 1))
}

/** The column that refers to the parent row; for roots, the column that identifies the owner. */
export function linkOf(level: number): 'tenant' | 'parent' {
  return level === 1 ? 'tenant' : 'parent'
}

/**
 * The tenant of the roots to delete; the others have 0. Every second row of each table is deleted: those with
 * odd ids.
 */
export const TENANT = 1
