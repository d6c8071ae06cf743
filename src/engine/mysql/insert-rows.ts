import { literal } from './quote.ts'
import { SHORT_SQL_LENGTH } from './routine-store.ts'

const ROWS_PER_STATEMENT = 200

/** INSERT statements of at most 200 rows each. The values are SQL. */
export function inserts(
  table: string,
  columns: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string[] {
  const statements: string[] = []
  for (let from = 0; from < rows.length; from += ROWS_PER_STATEMENT) {
    const values = rows.slice(from, from + ROWS_PER_STATEMENT).map((row) => `(${row.join(', ')})`)
    statements.push(`INSERT INTO ${table} (${columns.join(', ')}) VALUES ${values.join(', ')}`)
  }
  return statements
}

export function stored(run: string): [string, string] {
  return run.length > SHORT_SQL_LENGTH ? ['NULL', literal(run)] : [literal(run), 'NULL']
}

export function text(value: string | undefined): string {
  return value === undefined ? 'NULL' : literal(value)
}
