import type { Column, Schema, Table } from '../../schema/schema.ts'
import type { Connection } from '../connection.ts'
import type { Fingerprint } from '../fingerprint.ts'
import { flavorOf } from './flavor-of.ts'
import { ident } from './quote.ts'
import { batch } from './session.ts'

/**
 * Reads rows, content and counters independently of the SQL of a reset. The hash of a table is the sum of the
 * hashes of its rows as hexadecimal text: the sum does not depend on the order of the rows, and equal rows do
 * not cancel each other out. MySQL 9.6 has no MD5.
 */
export async function fingerprint(connection: Connection, schema: Schema): Promise<Fingerprint> {
  const { sequences } = await flavorOf(connection)
  const tables = schema.tables.filter(({ traits }) => !traits.includes('foreign'))
  const free = schema.sequences.filter(({ kind }) => kind === 'sequence')
  const contents = tables.map(contentOf)
  const results = await batch(connection, [
    `SELECT table_name AS name, auto_increment AS next FROM information_schema.tables WHERE table_schema = DATABASE()`,
    ...contents,
    ...(free.length === 0 || sequences === undefined
      ? []
      : [sequences.positions(free.map(({ name }) => name))]),
  ])
  const counters = new Map(results[0]?.rows.map(({ name, next }) => [String(name), next]))
  const positions = new Map(results[contents.length + 1]?.rows.map((row) => [Number(row.ordinal), row.next]))
  return {
    tables: new Map(
      tables.map(({ id }, index) => {
        const row = results[index + 1]?.rows[0]
        return [id, { rows: Number(row?.n), hash: String(row?.hash) }]
      }),
    ),
    sequences: new Map(
      schema.sequences.map((sequence) => {
        const index = free.indexOf(sequence)
        const next = index < 0 ? counters.get(sequence.name) : positions.get(index)
        // MySQL reports NULL for a counter that has never advanced.
        return [sequence.id, `${next ?? 1}:false`]
      }),
    ),
  }
}

function contentOf(table: Table): string {
  const columns = table.columns.filter(({ generated }) => !generated).map(hexadecimal)
  const row = `SHA2(CONCAT_WS(',', ${columns.join(', ')}), 224)`
  const part = (from: number) => `SUM(CAST(CONV(SUBSTRING(h, ${from}, 8), 16, 10) AS UNSIGNED))`
  const hash = [1, 9, 17, 25].map((from) => `COALESCE(${part(from)}, 0)`).join(', ')
  return `SELECT COUNT(*) AS n, CONCAT_WS('-', ${hash}) AS hash FROM (SELECT ${row} AS h FROM ${ident(table.name)}) AS r`
}

const REAL = /^(float|double)\b/i

function hexadecimal({ name, type }: Column): string {
  const value = REAL.test(type) ? `CAST(${ident(name)} + 0e0 AS CHAR)` : `CAST(${ident(name)} AS BINARY)`
  return `IFNULL(HEX(${value}), 'NULL')`
}
