import { AfreshError, messageOf } from '../../errors.ts'
import type { Connection, Row } from '../connection.ts'
import { createStatementsOf } from './definitions.ts'
import { ident, literal } from './quote.ts'
import { batch, errnoOf } from './session.ts'

const NO_EVENT = 1539

/**
 * Disables the events of a template, and thereby those of its clones: the server's scheduler would write to
 * the template while it is read, or to a clone in the middle of a test. Throws `AfreshError` (`server`).
 */
export async function disableEvents(connection: Connection, database: string): Promise<void> {
  const events = await connection.query(
    `SELECT event_name AS name, definer AS definer, sql_mode AS sql_mode, time_zone AS time_zone,
       character_set_client AS charset, collation_connection AS collation
     FROM information_schema.events WHERE event_schema = ${literal(database)} AND status = 'ENABLED'
     ORDER BY event_name`,
  )
  for (const event of events) await disable(connection, database, event)
}

async function disable(connection: Connection, database: string, event: Row): Promise<void> {
  const name = String(event.name)
  try {
    await batch(
      connection,
      // ALTER EVENT always replaces the event's settings and definer with those of the session.
      createStatementsOf({
        sql: `ALTER DEFINER = ${account(String(event.definer))} EVENT ${ident(database)}.${ident(name)} DISABLE`,
        sqlMode: String(event.sql_mode),
        charset: String(event.charset),
        collation: String(event.collation),
        timeZone: String(event.time_zone),
      }),
    )
  } catch (cause) {
    // The event's only scheduled time has passed meanwhile, and the server has dropped it.
    if (errnoOf(cause) === NO_EVENT) return
    throw new AfreshError(
      'server',
      `The event "${name}" of the template cannot be disabled: ${messageOf(cause)}.`,
      {
        next: 'Fix what it says in the migration that creates the event, or give a URL of a user who may.',
        cause,
      },
    )
  }
}

/** A MariaDB role has an empty host. No host contains an `@`. */
function account(definer: string): string {
  const separator = definer.lastIndexOf('@')
  const user = ident(definer.slice(0, separator))
  const host = definer.slice(separator + 1)
  return host === '' ? user : `${user}@${ident(host)}`
}
