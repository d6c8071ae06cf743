import { RefusedError } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import { refuseDrop } from '../ownership-mark.ts'
import { READ_ONLY } from './errno.ts'
import { deleteMarkSql, guard, isMadeByAfresh } from './ownership.ts'
import { ident, literal } from './quote.ts'
import { BatchError, batch, errnoOf } from './session.ts'
import { writable } from './writable.ts'

/** Ends the sessions of the database and drops it. Throws `RefusedError` unless it carries `mark`. */
export async function dropDatabase(connection: Connection, name: string, mark: string): Promise<void> {
  refuseDrop(name, mark, mark, true)
  const proof = await guard(connection, name, { mark }, { current: false })
  const sessions = await guarded(connection, name, [
    proof,
    `SELECT id AS id FROM information_schema.processlist WHERE db = ${literal(name)} AND id <> CONNECTION_ID()`,
  ])
  for (const { id } of sessions.at(-1)?.rows ?? []) {
    // The session may have ended meanwhile (1094); DROP waits for sessions that have not.
    await connection.query(`KILL ${Number(id)}`).catch(() => {})
  }
  const drop = [
    proof,
    // The mark is written before the database, which may therefore not exist.
    `DROP DATABASE IF EXISTS ${ident(name)}`,
    ...(isMadeByAfresh(name) ? [deleteMarkSql(name)] : []),
  ]
  try {
    await guarded(connection, name, drop)
  } catch (error) {
    if (errnoOf(error) !== READ_ONLY) throw error
    await guarded(connection, name, [proof, writable(name)])
    await guarded(connection, name, drop)
  }
}

async function guarded(connection: Connection, name: string, statements: readonly string[]) {
  try {
    return await batch(connection, statements)
  } catch (error) {
    if (error instanceof BatchError && error.index === 0) throw refusal(name, error)
    throw error
  }
}

function refusal(name: string, cause: unknown): RefusedError {
  return new RefusedError(
    `The database "${name}" does not carry the mark that it is to have; it was not dropped.`,
    {
      next: 'Look at what is in it, and drop it manually if it is no longer needed.',
      cause,
    },
  )
}
