import { withCleanUp, withUndo } from '../../errors.ts'
import { now, sleep } from '../../util/clock.ts'
import type { LockedTable } from '../bench-dialect.ts'
import type { Connection, Row } from '../connection.ts'
import { literal } from './quote.ts'

/** Milliseconds to wait until a DDL statement requests its lock. */
const LOCK_MS = 5_000

/**
 * DDL commits implicitly and releases its locks. Its locks are therefore read while it waits for another
 * session that has read the table in an open transaction; the locks of other statements, at the end of their
 * transaction.
 */
export async function locksOf(
  connection: Connection,
  other: Connection,
  statements: readonly string[],
  { name, sql }: LockedTable,
): Promise<string[]> {
  const [id, otherId] = [await sessionOf(connection), await sessionOf(other)]
  const readLocks = () => metadataLocks(other, id, name)
  await other.query(`START TRANSACTION; SELECT 1 FROM ${sql} LIMIT 1`)
  // MariaDB reports no metadata locks, not even these, unless its performance schema is on.
  const isReported = await withUndo(
    async () => (await metadataLocks(other, otherId, name)).length > 0,
    async () => void (await other.query('COMMIT')),
  )
  if (!isReported) {
    await other.query('COMMIT')
    return []
  }
  await connection.query('START TRANSACTION')
  let running = true
  const done = connection.query(statements.join(';\n')).finally(() => {
    running = false
  })
  // Awaited below; it may reject before that.
  done.catch(() => {})
  const rows = await withCleanUp(
    async () => {
      let locks: Row[] = []
      const deadline = now() + LOCK_MS
      while (running && now() < deadline && !locks.some(({ status }) => status === 'PENDING')) {
        await sleep(10)
        locks = await readLocks()
      }
      return running ? locks : readLocks()
    },
    async () => {
      await other.query('COMMIT')
      await done.finally(() => connection.query('COMMIT'))
    },
  )
  return [...new Set(rows.map(({ type }) => String(type)))].sort()
}

async function sessionOf(connection: Connection): Promise<number> {
  const [row] = await connection.query('SELECT CONNECTION_ID() AS id')
  return Number(row?.id)
}

function metadataLocks(connection: Connection, session: number, table: string): Promise<Row[]> {
  return connection.query(`SELECT m.lock_type AS type, m.lock_status AS status
    FROM performance_schema.metadata_locks AS m
    JOIN performance_schema.threads AS t ON t.thread_id = m.owner_thread_id
    WHERE t.processlist_id = ${session} AND m.object_schema = DATABASE() AND m.object_name = ${literal(table)}`)
}
