import { AfreshError, messageOf } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import { flavorOf } from './flavor-of.ts'
import { ident } from './quote.ts'
import { BatchError, batch } from './session.ts'

/**
 * Reverts ALTER DATABASE … READ ONLY = 1 (since MySQL 8.0.22). Only a test can have set it: a database that
 * was read-only when it was attached could not have been marked.
 *
 * @param proof statements that fail if the database is not afresh's to change
 * @returns a note if the database was read-only
 * @throws AfreshError `reset` if this account may not alter it; BatchError if the proof fails
 */
export async function makeWritable(
  connection: Connection,
  database: string,
  proof: readonly string[],
): Promise<string | undefined> {
  const { name } = await flavorOf(connection)
  if (name !== 'mysql') return undefined
  const [row] = await connection.query(IS_READ_ONLY)
  if (Number(row?.n) === 0) return undefined
  try {
    await batch(connection, [...proof, writable(database)])
  } catch (cause) {
    if (!(cause instanceof BatchError && cause.index === proof.length)) throw cause
    throw new AfreshError(
      'reset',
      `A test made the database "${database}" read-only, and this account may not undo it: ${messageOf(cause)}.`,
      { next: `Run as an administrator: ${writable(database)}`, cause },
    )
  }
  return `A test made the database read-only; it was made writable again: ${writable(database)}`
}

export function writable(database: string): string {
  return `ALTER DATABASE ${ident(database)} READ ONLY = 0`
}

/** The view exists since the version that introduced the option. */
const IS_READ_ONLY = `SELECT 0 /*!80022 + (SELECT COUNT(*) FROM information_schema.schemata_extensions
  WHERE schema_name = DATABASE() AND options LIKE '%READ ONLY=1%') */ AS n`
