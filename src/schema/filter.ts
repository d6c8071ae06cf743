import picomatch from 'picomatch'
import type { Schema, Table, TableId } from './schema.ts'

export interface Matched {
  readonly tables: ReadonlySet<TableId>
  /** Patterns that match no table: probably misspelled. */
  readonly unmatched: readonly string[]
}

/**
 * The tables that match the patterns. A pattern is a table name, `schema.table`, or a glob over either
 * (`audit_*`, `reporting.*`). A pattern that equals an existing name is not read as a glob.
 */
export function matchTables(schema: Schema, patterns: readonly string[]): Matched {
  const tables = new Set<TableId>()
  const unmatched: string[] = []
  for (const pattern of patterns) {
    const found = matching(schema, pattern)
    if (found.length === 0) unmatched.push(pattern)
    for (const { id } of found) tables.add(id)
  }
  return { tables, unmatched }
}

/** Whether `name` names this table. Compares names as the server does. */
export function isCalled({ foldsTableNames = false }: Schema, table: string, name: string): boolean {
  return table === name || (foldsTableNames && table.toLowerCase() === name.toLowerCase())
}

/**
 * The tables that a user may mean by a name: the one that is displayed so, or all whose bare or qualified name
 * it is.
 */
export function tablesCalled(schema: Schema, name: string): readonly Table[] {
  const isNamed = (candidate: string) => isCalled(schema, candidate, name)
  const displayed = schema.tables.find(({ label }) => isNamed(label))
  if (displayed !== undefined) return [displayed]
  return schema.tables.filter((table) => isNamed(`${table.schema}.${table.name}`) || isNamed(table.name))
}

function matching(schema: Schema, pattern: string): Table[] {
  const named = (test: (name: string) => boolean) =>
    schema.tables.filter(
      (table) =>
        test(table.name) ||
        test(`${table.schema}.${table.name}`) ||
        table.partitions.some((name) => test(name)),
    )
  const literal = named((name) => isCalled(schema, name, pattern))
  if (literal.length > 0) return literal
  const glob = picomatch(pattern, { dot: true, nocase: schema.foldsTableNames === true })
  return named((name) => glob(name))
}
