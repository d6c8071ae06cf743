import type { Table } from '../../schema/schema.ts'
import { now } from '../../util/clock.ts'
import type { Connection } from '../connection.ts'
import { STATE } from './detect.ts'
import { probe } from './statements.ts'

/**
 * The server's count of rows written to each table, by all sessions, committed or not. MySQL adds up the counts of
 * every table handle that was ever open at once on the server, and MariaDB reads those of all tables.
 */
export const COUNTS = 'performance_schema.table_io_waits_summary_by_table'

const READ = `SELECT object_name, count_insert, count_update, count_delete FROM ${COUNTS}
  WHERE object_type = 'TABLE' AND object_schema = DATABASE() AND count_write > 0`

const TRIES = 3

/** A scan also waits for open transactions, which takes about as long again. */
const SCAN_TO_PROBE = 2

/** Measures whether looking at each table takes less time here than reading the counts. */
export async function isScanCheaper(connection: Connection, tables: readonly Table[]): Promise<boolean> {
  const probes = probe(tables.map(({ name }, ordinal) => ({ ordinal, name })))
  const times = { counts: Number.POSITIVE_INFINITY, probes: Number.POSITIVE_INFINITY }
  for (let tried = 0; tried < TRIES; tried += 1) {
    times.counts = Math.min(times.counts, await timeOf(connection, READ))
    times.probes = Math.min(times.probes, await timeOf(connection, [...probes, STATE].join(';\n')))
  }
  return times.counts > SCAN_TO_PROBE * times.probes
}

async function timeOf(connection: Connection, sql: string): Promise<number> {
  const began = now()
  await connection.query(sql)
  return now() - began
}
