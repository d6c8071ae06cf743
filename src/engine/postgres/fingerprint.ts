import type { Schema, Table } from '../../schema/schema.ts'
import type { Connection, Fingerprint } from '../engine.ts'
import { readBounded } from './bounded.ts'
import { ident, only, qualified } from './quote.ts'

/**
 * Rows and content of every table and the position of every sequence. Shares nothing with the detector: each
 * column is written out, rows are hashed by MD5 and summed, so that their order does not matter.
 */
export async function fingerprint(connection: Connection, schema: Schema): Promise<Fingerprint> {
  const tables = await union(connection, schema.tables.map(tableHash))
  const sequences = await union(
    connection,
    schema.sequences.map(
      (sequence) =>
        `SELECT '${sequence.id}' AS id, last_value::text || ':' || is_called AS at FROM ${qualified(sequence)}`,
    ),
  )
  return {
    tables: new Map(
      tables.map((row) => [String(row.id), { rows: Number(row.rows), hash: String(row.hash) }]),
    ),
    sequences: new Map(sequences.map((row) => [String(row.id), String(row.at)])),
  }
}

async function union(connection: Connection, queries: readonly string[]) {
  return queries.length === 0 ? [] : readBounded(connection, queries.join(' UNION ALL '))
}

function tableHash(table: Table): string {
  const columns = table.columns.map(
    ({ name }) => `coalesce(length(${ident(name)}::text) || ':' || ${ident(name)}::text, '-')`,
  )
  const row = columns.length === 0 ? "''" : columns.join(` || `)
  const half = (from: number) =>
    `coalesce(sum(('x' || substr(md5(${row}), ${from}, 16))::bit(64)::bigint), 0)`
  return `SELECT '${table.id}' AS id, count(*)::text AS rows, ${half(1)} || '/' || ${half(17)} AS hash FROM ${only(table)}`
}
