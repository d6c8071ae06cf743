import { AfreshError, messageOf } from '../../errors.ts'
import { type ForeignKey, type Schema, tableOf } from '../../schema/schema.ts'
import { type BulkInsert, RowError, type RowGroup, type RowSource, type SourceRow } from '../bulk-insert.ts'
import { isUnproven } from '../erase-proof.ts'
import { rowWithKey } from '../find-row.ts'
import { begin } from './erase-transaction.ts'
import { DEADLOCK, LOCK_TIMEOUT } from './errno.ts'
import { mysqlConnection, type Send } from './mysql-connection.ts'
import { ident, tableIn } from './quote.ts'
import { errnoOf, inSeconds, type Setting, swapped } from './session.ts'
import { valueSql } from './value-sql.ts'

const MOST_ROWS = 1000
const MOST_BYTES = 1024 * 1024
/** Bytes of a message besides its text. */
const MARGIN = 1024

export const bulkInsert: BulkInsert = {
  insert: (given, schema, groups, { lockTimeoutMs, proof }) =>
    mysqlConnection(given).pinned(async (send) => {
      const { save, set, restore } = swapped(settingsFor(lockTimeoutMs))
      const transaction = await begin(given, send, proof, 'none')
      try {
        await send(`${save}; ${set}`)
        const [limits] = await send('SELECT @@max_allowed_packet AS bytes')
        const packet = Number(limits?.rows[0]?.bytes) - MARGIN
        for (const group of groups) await insertGroup(send, schema, group, packet)
        await transaction.commit([])
        await send(restore)
      } catch (error) {
        await transaction.rollback([]).catch(() => {})
        await send(restore).catch(() => {})
        throw isUnproven(error) ? error : explained(error)
      }
    }),
}

function settingsFor(lockTimeoutMs: number | undefined): Setting[] {
  const values = {
    foreign_key_checks: '1',
    // An id of 0 is a value, and a value that does not fit is an error.
    sql_mode: "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO'",
    time_zone: "'+00:00'",
    ...(lockTimeoutMs !== undefined && {
      innodb_lock_wait_timeout: String(inSeconds(lockTimeoutMs)),
      lock_wait_timeout: String(inSeconds(lockTimeoutMs)),
    }),
  }
  return Object.entries(values).map(([name, value]) => ({ name, value }))
}

/** Keys are checked row by row: where rows may reference later ones, they are checked afterwards. */
async function insertGroup(
  send: Send,
  schema: Schema,
  { sources, isCyclic }: RowGroup,
  packet: number,
): Promise<void> {
  if (isCyclic) await send('SET foreign_key_checks = 0')
  for (const source of sources) await insertSource(send, source, packet)
  if (!isCyclic) return
  await send('SET foreign_key_checks = 1')
  const tables = new Set(sources.map(({ table }) => table.id))
  for (const key of schema.foreignKeys.filter(({ from }) => tables.has(from))) {
    await checkKey(send, schema, key, sources)
  }
}

interface Statement {
  readonly rows: SourceRow[]
  readonly values: string[]
  bytes: number
}

async function insertSource(send: Send, source: RowSource, packet: number): Promise<void> {
  const { table, columns } = source
  const names = columns.map(({ name }) => ident(name)).join(', ')
  const insert = `INSERT INTO ${tableIn(table.schema, table.name)} (${names}) VALUES `
  const writers = columns.map(valueSql)
  const room = Math.min(MOST_BYTES, packet - insert.length)
  let next: Statement = { rows: [], values: [], bytes: 0 }
  const flush = async () => {
    const { rows, values } = next
    next = { rows: [], values: [], bytes: 0 }
    if (rows.length > 0) await insertRows(send, source, insert, rows, values)
  }
  for await (const batch of source.batches()) {
    for (const row of batch) {
      const sql = `(${row.values.map((value, index) => writers[index]?.(value) ?? 'NULL').join(', ')})`
      const bytes = Buffer.byteLength(sql) + 2
      if (bytes > packet - insert.length) throw tooLong(source, row, bytes, packet)
      if (next.rows.length === MOST_ROWS || next.bytes + bytes > room) await flush()
      next.rows.push(row)
      next.values.push(sql)
      next.bytes += bytes
    }
  }
  await flush()
}

async function insertRows(
  send: Send,
  source: RowSource,
  insert: string,
  rows: readonly SourceRow[],
  values: readonly string[],
): Promise<void> {
  try {
    await send(insert + values.join(', '))
  } catch (error) {
    if (isLocked(error) || errnoOf(error) === undefined) throw error
    if (source.table.traits.includes('non-transactional'))
      throw rejected(source, rowNamedIn(error, rows), error)
    // The statement inserted nothing: the first row that fails alone is the one.
    for (const [index, row] of rows.entries()) {
      await send(insert + (values[index] ?? '')).catch((cause: unknown) => {
        throw errnoOf(cause) === undefined ? cause : rejected(source, row, cause)
      })
    }
    throw rejected(source, undefined, error)
  }
}

function rowNamedIn(error: unknown, rows: readonly SourceRow[]): SourceRow | undefined {
  const [, number] = / at row (\d+)/.exec(messageOf(error)) ?? []
  return number === undefined ? undefined : rows[Number(number) - 1]
}

/** `Data too long for column 'name'`, `Column 'name' cannot be null`, `FOREIGN KEY (`customer`)`. */
const COLUMN = /column:? '(?:[^']*\.)?`?([^'`]+)`?'|FOREIGN KEY \(`([^`]+)`\)/i

function rejected(source: RowSource, row: SourceRow | undefined, cause: unknown): RowError {
  const message = messageOf(cause)
  const [, column, keyColumn] = COLUMN.exec(message) ?? []
  return new RowError(message, { source, line: row?.line, column: column ?? keyColumn }, cause)
}

function tooLong(source: RowSource, { line }: SourceRow, bytes: number, packet: number): RowError {
  return new RowError(
    `the row has ${bytes} bytes as SQL, and the server takes ${packet} (max_allowed_packet)`,
    { source, line, next: 'Raise max_allowed_packet on the server, or shorten the row.' },
  )
}

/** How many rows without a parent are compared with the files: some may have been there before. */
const ORPHANS = 20

async function checkKey(
  send: Send,
  schema: Schema,
  key: ForeignKey,
  sources: readonly RowSource[],
): Promise<void> {
  const [child, parent] = [tableOf(schema, key.from), tableOf(schema, key.to)]
  const pairs = key.columns.map((column, index) => ({
    own: `c.${ident(column)}`,
    theirs: `p.${ident(key.referencedColumns[index] ?? column)}`,
  }))
  const orphans = await send(
    `SELECT ${pairs.map(({ own }, index) => `${own} AS c${index}`).join(', ')}
     FROM ${tableIn(child.schema, child.name)} AS c LEFT JOIN ${tableIn(parent.schema, parent.name)} AS p
       ON ${pairs.map(({ own, theirs }) => `${theirs} = ${own}`).join(' AND ')}
     WHERE ${[...pairs.map(({ own }) => `${own} IS NOT NULL`), `${pairs[0]?.theirs} IS NULL`].join(' AND ')}
     LIMIT ${ORPHANS}`,
  )
  const own = sources.filter(({ table }) => table.id === key.from)
  for (const row of orphans[0]?.rows ?? []) {
    const text = pairs.map((_, index) => String(row[`c${index}`])).join(', ')
    const position = await rowWithKey(own, key.columns, text)
    if (position !== undefined) {
      const referenced = `${parent.label} (${key.referencedColumns.join(', ')})`
      throw new RowError(`the foreign key ${key.name} has no row in ${referenced} for ${text}`, position)
    }
  }
}

function isLocked(error: unknown): boolean {
  const errno = errnoOf(error)
  return errno === LOCK_TIMEOUT || errno === DEADLOCK
}

function explained(error: unknown): unknown {
  if (!isLocked(error)) return error
  return new AfreshError(
    'blocked',
    `Another session held a lock while rows were loaded: ${messageOf(error)}.`,
    {
      next: 'Nothing was loaded. End the transaction that holds the lock, or load before it begins.',
      cause: error,
    },
  )
}
