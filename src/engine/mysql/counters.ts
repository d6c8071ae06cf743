import { AfreshError } from '../../errors.ts'
import { tableOf } from '../../schema/schema.ts'
import type { Connection } from '../connection.ts'
import type { Program } from '../resetter.ts'
import { COUNTS, isScanCheaper } from './counts-cost.ts'
import { DENIED, DENIED_DATABASE, DENIED_ROUTINE, DENIED_TABLE } from './errno.ts'
import { flavorOf } from './flavor-of.ts'
import { literal } from './quote.ts'
import { errnoOf } from './session.ts'

/** With so few, reading the counts is cheaper than looking at the tables. */
const FEW_COUNTS = 2000
const FEW_TABLES = 300

/** Why the counters are unreliable here, as a phrase for people; `undefined` if they are reliable. */
export async function whyNotCounters(connection: Connection, program: Program): Promise<string | undefined> {
  const unwatched = uncounted(program)
  if (unwatched !== undefined) return unwatched
  const { watch } = await flavorOf(connection)
  try {
    const [row] = await connection.query(
      `SELECT @@performance_schema AS enabled, ${offExpression('DATABASE()')} AS off,
       (SELECT COUNT(*) FROM ${COUNTS}) AS counts, (SELECT COUNT(*) FROM ${watch.tables}) AS readable`,
    )
    if (Number(row?.enabled) !== 1) return 'the server runs without performance_schema'
    if (Number(row?.off) !== 0) return 'performance_schema is configured not to count every write to a table'
    const [status] = await connection.query(
      `SELECT COUNT(*) AS n, ${watch.lost} AS lost FROM ${watch.status}`,
    )
    if (Number(status?.n) !== watch.statusRows) return 'the server is too old to report TRUNCATE'
    if (Number(status?.lost) !== 0) return 'performance_schema ran out of memory for its counts'
    const counts = Number(row?.counts)
    const { tables } = program.schema
    const isDoubtful = counts > FEW_COUNTS || tables.length > FEW_TABLES
    if (program.detector === 'auto' && isDoubtful && (await isScanCheaper(connection, tables)))
      return 'the server has or had too many open tables'
    return undefined
  } catch (error) {
    if (isDenied(error)) return 'the user may not read performance_schema and the tables of InnoDB'
    throw error
  }
}

/** Throws `AfreshError` (`usage`): the user asked for the counters, and they are unavailable. */
export function refuseCounters(reason: string): never {
  throw new AfreshError('usage', `The detector "counters" is unavailable here: ${reason}.`, {
    next:
      'It needs performance_schema=ON with its default instruments, InnoDB tables only, and GRANT SELECT ON ' +
      'performance_schema.*, PROCESS ON *.* and ALL ON `afresh\\_%`.*; or leave the choice to "auto".',
  })
}

/** Whether the error says that the user lacks a privilege. */
export function isDenied(error: unknown): boolean {
  const errno = errnoOf(error)
  return [DENIED_DATABASE, DENIED_TABLE, DENIED, DENIED_ROUTINE].some((denial) => denial === errno)
}

/** A table or foreign key whose writes the server does not count. */
export function uncounted({ schema, plan }: Program): string | undefined {
  const tables = plan.order.flat().map((id) => tableOf(schema, id))
  // On these tables, DELETE without a condition counts no rows.
  const other = tables.find(
    ({ traits }) => traits.includes('non-transactional') || traits.includes('foreign'),
  )
  if (other !== undefined) return `the table ${other.label} is not InnoDB's`
  const far = schema.foreignKeys.find(
    (key) =>
      cascades(key) &&
      !schema.tables.some(({ id }) => id === key.to) &&
      tables.some(({ id }) => id === key.from),
  )
  return far === undefined ? undefined : `"${far.name}" cascades from another database`
}

/** Whether a write to the referenced table also writes to the referencing one, uncounted by InnoDB. */
export function cascades({ onDelete, onUpdate }: { onDelete: string; onUpdate: string }): boolean {
  return [onDelete, onUpdate].some((action) => action === 'cascade' || action.startsWith('set '))
}

/**
 * SQL expression: above 0 if performance_schema is configured not to count some table, thread or user.
 *
 * @param database an SQL expression
 */
export function offExpression(database: string): string {
  const setup = (table: string, value: string, condition: string) =>
    `(SELECT ${value} FROM performance_schema.${table} WHERE ${condition})`
  const isOff = "enabled = 'NO' LIMIT 1"
  // Off if any rule says NO, or no general rule says YES.
  const rules = (general: string) =>
    `COALESCE(SUM(enabled = 'NO'), 0) + (COALESCE(SUM(${general} AND enabled = 'YES'), 0) = 0)`
  return [
    `COALESCE(${setup('setup_instruments', "enabled = 'NO'", "name = 'wait/io/table/sql/handler' LIMIT 1")}, 1)`,
    `COALESCE(${setup('setup_consumers', '1', `name = 'global_instrumentation' AND ${isOff}`)}, 0)`,
    setup(
      'setup_objects',
      rules("object_name = '%'"),
      `object_type = 'TABLE' AND object_schema IN ('%', ${database})`,
    ),
    setup('setup_actors', rules("host = '%' AND user = '%'"), 'TRUE'),
    setup(
      'threads',
      'COUNT(*)',
      `type = 'FOREGROUND' AND processlist_id IS NOT NULL AND instrumented = 'NO'`,
    ),
  ].join(' + ')
}

/**
 * A statement that sets `@afresh_print`, a checksum of the table definitions of a database and of InnoDB's
 * table ids. TRUNCATE and table rebuilds assign a new id, and neither is counted.
 *
 * @param cut tables that resets truncate: a new id of one with an empty baseline is no change
 * @param filled tables of `cut` with baseline rows: their ids are the part after the second colon
 */
export function fingerprintOfTables(
  tables: string,
  database: string,
  { cut, filled }: { readonly cut: readonly string[]; readonly filled: readonly string[] },
): string {
  const file = fileOf(database)
  const own = file === undefined ? 'TRUE' : `LEFT(name, ${file.length + 1}) = ${literal(`${file}/`)}`
  const isOneOf = (names: readonly string[]) => {
    const known = names.flatMap((name) => fileOf(database, name) ?? []).map(literal)
    return known.length === 0
      ? 'FALSE'
      : `CAST(SUBSTRING_INDEX(name, '#', 1) AS BINARY) IN (${known.join(', ')})`
  }
  const number = `IF(${isOneOf(cut)}, 0, table_id)`
  return `SELECT CONCAT(COUNT(*), ':', COALESCE(SUM(CRC32(CONCAT_WS(' ', name, n_cols, ${number}))), 0), ':',
      COALESCE(SUM(IF(${isOneOf(filled)}, CRC32(CONCAT_WS(' ', name, table_id)), 0)), 0)) INTO @afresh_print
    FROM ${tables} WHERE ${own} AND name NOT LIKE '%/#sql%' AND name NOT REGEXP '/fts_[0-9a-f]{16}_'`
}

/** InnoDB's name of the table; `undefined` if it contains characters that InnoDB encodes. */
export function fileOf(database: string, table?: string): string | undefined {
  const name = table === undefined ? database : `${database}/${table}`
  return /^[\w/]+$/.test(name) ? name : undefined
}
