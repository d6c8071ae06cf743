import type { Position } from '../../schema/schema.ts'
import type { Database } from './driver.ts'

/**
 * Reads `sqlite_sequence`: the largest id assigned so far, by table. It exists only after the first
 * AUTOINCREMENT table was created, and has a row for a table only after that table's first insert.
 */
export function positionsIn(db: Database): Map<string, bigint> {
  const [present] = db.all(`SELECT 1 FROM main.sqlite_master WHERE name = 'sqlite_sequence'`)
  if (present === undefined) return new Map()
  // SQLite reads the first row of a name. Later rows, which only a user can have written, have no effect.
  const rows = db.all(
    'SELECT name, CAST(seq AS INTEGER) AS seq FROM main.sqlite_sequence ORDER BY rowid DESC',
  )
  return new Map(rows.map(({ name, seq }) => [String(name), typeof seq === 'bigint' ? seq : 0n]))
}

/** A missing row is equivalent to 0: the next id is 1, or one more than the largest in the table. */
export function positionOf(positions: ReadonlyMap<string, bigint>, table: string): Position {
  return { value: positions.get(table) ?? 0n, called: true }
}

/** The value for `sqlite_sequence`, which stores assigned ids only. */
export function seqOf({ value, called }: Position): bigint {
  return called ? value : value - 1n
}
