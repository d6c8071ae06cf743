import { messageOf } from '../../errors.ts'
import { type Schema, type Table, tableOf } from '../../schema/schema.ts'
import {
  type BulkInsert,
  bytesOf,
  jsonOf,
  Numeral,
  RowError,
  type RowPosition,
  type RowSource,
  type Value,
} from '../bulk-insert.ts'
import { asUnproven, isUnproven } from '../erase-proof.ts'
import { rowWithKey } from '../find-row.ts'
import { type SqliteConnection, sqliteOf } from './connection.ts'
import type { Database } from './driver.ts'
import { nameOf, quoted } from './statements.ts'
import { beginWriting } from './transaction.ts'

/** Milliseconds, as for a reset. */
const DEFAULT_LOCK_TIMEOUT_MS = 2500

export const bulkInsert: BulkInsert = {
  async insert(given, schema, groups, { lockTimeoutMs = DEFAULT_LOCK_TIMEOUT_MS, proof }) {
    const connection = sqliteOf(given)
    const { db } = connection
    const sources = groups.flatMap((group) => group.sources)
    await beginWriting(connection, lockTimeoutMs)
    try {
      prove(db, proof)
      // Until COMMIT, the order of the rows does not matter.
      db.exec('PRAGMA defer_foreign_keys = ON')
      for (const source of sources) await insertSource(db, source)
      await commit(connection, schema, sources)
    } catch (error) {
      rollBack(db)
      throw error
    }
  },
}

function prove(db: Database, proof: Parameters<BulkInsert['insert']>[3]['proof']): void {
  try {
    if (typeof proof === 'function') proof()
    else if (typeof proof === 'string') db.exec(proof)
  } catch (error) {
    throw asUnproven(error)
  }
}

/** SQLite rolls back by itself after some errors. */
function rollBack(db: Database): void {
  try {
    db.exec('ROLLBACK')
  } catch (error) {
    if (!messageOf(error).includes('no transaction is active')) throw error
  }
}

/** One compiled statement for all rows: there is no server, and so no round trip to save. */
async function insertSource(db: Database, source: RowSource): Promise<void> {
  const { table, columns } = source
  const names = columns.map(({ name }) => quoted(name)).join(', ')
  const binders = columns.map(binderOf)
  const insert = db.prepare(
    `INSERT INTO ${nameOf(table)} (${names}) VALUES (${columns.map(() => '?').join(', ')})`,
  )
  for await (const batch of source.batches()) {
    for (const { line, values } of batch) {
      try {
        insert(values.map((value, index) => binders[index]?.(value) ?? null))
      } catch (cause) {
        const [, column] = /constraint failed: [^.]+\.([^,]+)$/.exec(messageOf(cause)) ?? []
        throw new RowError(messageOf(cause), { source, line, column }, cause)
      }
    }
  }
}

/** Binds a value so that the affinity of the column decides how it is stored, as for a value in SQL. */
function binderOf({ type }: { readonly type: string }): (value: Value) => unknown {
  const isBlob = /blob/i.test(type)
  const isBoolean = /bool/i.test(type)
  // https://www.sqlite.org/datatype3.html, 3.1: without affinity, a text would stay a text.
  const hasAffinity = type !== '' && !isBlob && !/^any$/i.test(type)
  return (value) => {
    if (value === null) return null
    if (typeof value === 'boolean') return value ? 1n : 0n
    if (typeof value === 'string') {
      if (isBoolean && /^(?:true|false)$/i.test(value)) return value.toLowerCase() === 'true' ? 1n : 0n
      return isBlob ? (bytesOf(value) ?? value) : value
    }
    if (value instanceof Uint8Array) return Buffer.from(value)
    if (!(value instanceof Numeral)) return jsonOf(value)
    return hasAffinity ? value.text : numberOf(value.text)
  }
}

function numberOf(text: string): bigint | number {
  const isInteger = /^-?\d{1,18}$/.test(text)
  return isInteger ? BigInt(text) : Number(text)
}

async function commit(
  { db }: SqliteConnection,
  schema: Schema,
  sources: readonly RowSource[],
): Promise<void> {
  try {
    db.exec('COMMIT')
  } catch (cause) {
    if (isUnproven(cause) || !/foreign key/i.test(messageOf(cause))) throw cause
    throw (await danglingRow(db, schema, sources)) ?? cause
  }
}

async function danglingRow(
  db: Database,
  schema: Schema,
  sources: readonly RowSource[],
): Promise<RowError | undefined> {
  const tables = [...new Set(sources.map(({ table }) => table))]
  for (const table of tables) {
    for (const row of db.all(`PRAGMA foreign_key_check(${quoted(table.name)})`)) {
      const key = keyOf(db, schema, table, row.fkid)
      const [values] =
        key === undefined || row.rowid === null ? [] : valuesOf(db, table, key.columns, row.rowid)
      const text = Object.values(values ?? {})
        .map(String)
        .join(', ')
      const position: RowPosition | undefined =
        key &&
        (await rowWithKey(
          sources.filter((source) => source.table === table),
          key.columns,
          text,
        ))
      if (key !== undefined && position !== undefined) {
        return new RowError(`the foreign key has no row in ${key.parent} for ${text}`, position)
      }
    }
  }
  return undefined
}

function keyOf(db: Database, schema: Schema, table: Table, id: unknown) {
  const parts = db.all(`SELECT "from" AS name FROM pragma_foreign_key_list(?) WHERE id = ? ORDER BY seq`, [
    table.name,
    id,
  ])
  const columns = parts.map(({ name }) => String(name))
  const key = schema.foreignKeys.find(
    ({ from, columns: own }) => from === table.id && own.join('\0') === columns.join('\0'),
  )
  if (key === undefined) return undefined
  return { columns, parent: `${tableOf(schema, key.to).label} (${key.referencedColumns.join(', ')})` }
}

function valuesOf(db: Database, table: Table, columns: readonly string[], rowid: unknown) {
  const list = columns.map((name, index) => `CAST(${quoted(name)} AS TEXT) AS c${index}`).join(', ')
  return db.all(`SELECT ${list} FROM ${nameOf(table)} WHERE rowid = ?`, [rowid])
}
