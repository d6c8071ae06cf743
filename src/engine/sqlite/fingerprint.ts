import { createHash } from 'node:crypto'
import type { Schema, Table } from '../../schema/schema.ts'
import type { Fingerprint } from '../fingerprint.ts'
import type { Database } from './driver.ts'
import { positionOf, positionsIn } from './sequences.ts'
import { nameOf, quoted } from './statements.ts'

/**
 * Reads every row, one at a time, and adds up the hashes: order does not matter, duplicates do, and memory
 * use is constant. Shares only the list of tables with the detector.
 */
export function fingerprint(db: Database, schema: Schema): Fingerprint {
  const positions = positionsIn(db)
  return {
    tables: new Map(schema.tables.map((table) => [table.id, hashOf(db, table)])),
    sequences: new Map(
      schema.sequences.map(({ id, name }) => {
        const { value, called } = positionOf(positions, name)
        return [id, `${value}:${called}`]
      }),
    ),
  }
}

const MODULUS = 1n << 128n

function hashOf(db: Database, table: Table): { rows: number; hash: string } {
  let rows = 0
  let sum = 0n
  for (const row of db.iterate(selectOf(table))) {
    rows += 1
    sum = (sum + rowHash(Object.values(row))) % MODULUS
  }
  return { rows, hash: sum.toString(16).padStart(32, '0') }
}

/** Reads text as bytes, because it may be invalid UTF-8. Each value is preceded by its type. */
function selectOf(table: Table): string {
  const columns = table.columns.flatMap(({ name }, index) => {
    const column = quoted(name)
    return [
      `typeof(${column}) AS t${index}`,
      `CASE typeof(${column}) WHEN 'text' THEN CAST(${column} AS BLOB) ELSE ${column} END AS v${index}`,
    ]
  })
  return `SELECT ${columns.join(', ')} FROM ${nameOf(table)}`
}

function rowHash(values: readonly unknown[]): bigint {
  const hash = createHash('sha256')
  for (const value of values) {
    const bytes = bytesOf(value)
    hash.update(`${bytes.length}:`).update(bytes)
  }
  const digest = hash.digest()
  return (digest.readBigUInt64LE(0) << 64n) | digest.readBigUInt64LE(8)
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(8)
    // SQL cannot distinguish 0.0 and -0.0 in SQLite.
    bytes.writeDoubleLE(value === 0 ? 0 : value)
    return bytes
  }
  return Buffer.from(String(value))
}
