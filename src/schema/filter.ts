import picomatch from 'picomatch'
import type { Schema, Table, TableId } from './schema.ts'

export interface Matched {
  readonly tables: ReadonlySet<TableId>
  /** Patterns that match no table: most likely misspelt. */
  readonly unmatched: readonly string[]
}

/**
 * The tables that the patterns name. A pattern is a table's name, `schema.table`, or a glob over either
 * (`audit_*`, `reporting.*`). A name that stands in the schema literally is never read as a glob.
 */
export function matchTables(schema: Schema, patterns: readonly string[]): Matched {
  const tables = new Set<TableId>()
  const unmatched: string[] = []
  for (const pattern of patterns) {
    const found = matching(schema.tables, pattern)
    if (found.length === 0) unmatched.push(pattern)
    for (const { id } of found) tables.add(id)
  }
  return { tables, unmatched }
}

function matching(tables: readonly Table[], pattern: string): Table[] {
  const named = (test: (name: string) => boolean) =>
    tables.filter(
      (table) =>
        test(table.name) ||
        test(`${table.schema}.${table.name}`) ||
        table.partitions.some((name) => test(name)),
    )
  const literal = named((name) => name === pattern)
  if (literal.length > 0) return literal
  const glob = picomatch(pattern, { dot: true })
  return named((name) => glob(name))
}
