/** `fan`: ten children each. `even`: as many rows in each table. */
export type Shape = 'fan' | 'even'

/** Tables in a chain, each of which refers to the one before. */
export interface Tree {
  readonly shape: Shape
  readonly depth: number
  /** How many rows go, in all tables together; as many again stay. */
  readonly rows: number
}

export const SHAPES: readonly Shape[] = ['fan', 'even']
export const MOST_LEVELS = 5
const CHILDREN = 10

/** How many rows of each table go, from the roots on. At least one each, and exactly `rows` together. */
export function levelsOf({ shape, depth, rows }: Tree): number[] {
  const weights = Array.from({ length: depth }, (_, level) => (shape === 'fan' ? CHILDREN ** level : 1))
  const whole = weights.reduce((sum, weight) => sum + weight, 0)
  const counts = weights.map((weight) => Math.max(1, Math.round((rows * weight) / whole)))
  const others = counts.slice(0, -1).reduce((sum, count) => sum + count, 0)
  return [...counts.slice(0, -1), rows - others]
}

/** How many rows a root goes with, itself included. */
export function rowsPerRoot(tree: Tree): number {
  const [roots = 1] = levelsOf(tree)
  return tree.rows / roots
}

/** `plain`: the keys say nothing of ON DELETE. `cascading`: ON DELETE CASCADE. `stash`: rows alone. */
export type Family = 'plain' | 'cascading' | 'stash'

const LETTERS: Readonly<Record<Family, string>> = { plain: 'l', cascading: 'c', stash: 's' }

/** @param level counted from 1 */
export function tableOf(family: Family, level: number): string {
  return `${LETTERS[family]}${level}`
}

export function tablesOf(family: Family, depth: number): string[] {
  return Array.from({ length: depth }, (_, index) => tableOf(family, index + 1))
}

/** The column that leads to the row above; of the roots, the one that says whose they are. */
export function linkOf(level: number): 'tenant' | 'parent' {
  return level === 1 ? 'tenant' : 'parent'
}

/** The roots that go have this tenant; those that stay have 0. Every second row of every table goes: those with odd ids. */
export const TENANT = 1
