import type { Schema, Table } from '../../schema/schema.ts'
import type { Connection } from '../connection.ts'
import type { Fingerprint } from '../fingerprint.ts'
import { readCatalog } from './catalog.ts'
import { emptyPartitionedTables } from './partition-files.ts'
import { ident, only, qualified } from './quote.ts'
import { readWithLockTimeout } from './with-lock-timeout.ts'

/**
 * Counts and hashes the rows of every table, and reads the position of every sequence. Shares no code with
 * the detector: casts each column to text and sums MD5 hashes of the rows, so that their order does not
 * matter.
 */
export async function fingerprint(connection: Connection, schema: Schema): Promise<Fingerprint> {
  // Rows of foreign tables are on another server, which may not answer.
  const local = schema.tables.filter(({ traits }) => !traits.includes('foreign'))
  const views = local.filter(({ traits }) => traits.includes('materialized'))
  const unfilled = views.length === 0 ? new Set<string>() : await unfilledViews(connection)
  const empty = await emptyPartitionedTables(connection, { tables: local })
  const tables = await union(
    connection,
    local.map((table) => {
      if (unfilled.has(table.id)) return UNFILLED(table)
      return empty.has(table.id) ? EMPTY(table) : tableHash(table)
    }),
  )
  const sequences = await union(
    connection,
    schema.sequences.map(
      (sequence) =>
        `SELECT '${sequence.id}' AS id, concat(last_value, ':', is_called::text) AS at FROM ${qualified(sequence)}`,
    ),
  )
  return {
    tables: new Map(
      tables.map((row) => [String(row.id), { rows: Number(row.rows), hash: String(row.hash) }]),
    ),
    sequences: new Map(sequences.map((row) => [String(row.id), String(row.at)])),
  }
}

/** A materialized view that was never refreshed cannot be read. */
const UNFILLED = ({ id }: Table) => `SELECT '${id}' AS id, '0' AS rows, 'unfilled' AS hash`

/** What `tableHash` returns for a table without rows. */
const EMPTY = ({ id }: Table) => `SELECT '${id}' AS id, '0' AS rows, '0/0' AS hash`

async function unfilledViews(connection: Connection): Promise<Set<string>> {
  const rows = await readCatalog(
    connection,
    `SELECT c.oid::text AS id FROM pg_catalog.pg_class AS c WHERE c.relkind = 'm' AND NOT c.relispopulated`,
  )
  return new Set(rows.map(({ id }) => String(id)))
}

async function union(connection: Connection, queries: readonly string[]) {
  return queries.length === 0 ? [] : readWithLockTimeout(connection, queries.join(' UNION ALL '))
}

function tableHash(table: Table): string {
  const columns = table.columns.map(({ name, exactType }) => {
    const text = `${ident(name)}${exactType === undefined ? '' : `::${exactType}`}::text`
    return `coalesce(length(${text})::text || ':' || ${text}, '-')`
  })
  const row = columns.length === 0 ? "''" : columns.join(` || `)
  const half = (from: number) =>
    `coalesce(sum(('x' || substr(md5(${row}), ${from}, 16))::bit(64)::bigint), 0)`
  return `SELECT '${table.id}' AS id, count(*)::text AS rows, concat(${half(1)}, '/', ${half(17)}) AS hash FROM ${only(table)}`
}
