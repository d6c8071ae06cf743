import type { Connection, Row } from '../connection.ts'
import type { LockHolder } from '../lock-holder.ts'
import { lockName } from './ownership.ts'
import { literal } from './quote.ts'
import { errnoOf } from './session.ts'

/** Bytes of data and indexes, as the server last counted them. */
export async function sizesOf(
  connection: Connection,
  names: readonly string[],
): Promise<Map<string, number>> {
  if (names.length === 0) return new Map()
  const rows = await connection.query(
    `SELECT t.table_schema AS name, COALESCE(SUM(t.data_length + t.index_length), 0) AS bytes
     FROM information_schema.tables AS t WHERE t.table_schema IN (${names.map(literal).join(', ')}) GROUP BY t.table_schema`,
  )
  return new Map(rows.map(({ name, bytes }) => [String(name), Number(bytes)]))
}

export async function holderOf(connection: Connection, key: string): Promise<LockHolder | undefined> {
  const [lock] = await connection.query(`SELECT IS_USED_LOCK(${lockName(key)}) AS session`)
  if (lock === undefined || lock.session === null) return undefined
  const session = Number(lock.session)
  const [shown] = await connection.query(
    `SELECT p.user AS user, p.host AS host FROM information_schema.processlist AS p WHERE p.id = ${session}`,
  )
  const [attribute] = await attributesOf(connection, session)
  return {
    session,
    application: typeof attribute?.value === 'string' ? attribute.value : undefined,
    client: shown === undefined ? `connection ${session}` : `${shown.user}@${shown.host}`,
  }
}

/** Nothing if performance_schema is off, or if this user may not read it. */
async function attributesOf(connection: Connection, session: number): Promise<Row[]> {
  try {
    return await connection.query(
      `SELECT attr_value AS value FROM performance_schema.session_account_connect_attrs
       WHERE processlist_id = ${session} AND attr_name = 'program_name'`,
    )
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return []
  }
}
