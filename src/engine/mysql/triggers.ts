import type { Connection, Row } from '../connection.ts'
import { createStatementsOf, type Definition, definitionFrom } from './definitions.ts'
import { DENIED_DATABASE, DENIED_TABLE, NO_DATABASE, NO_TABLE } from './errno.ts'
import { createRegistry, REGISTRY } from './ownership.ts'
import { ident, literal } from './quote.ts'
import { batch, errnoOf } from './session.ts'

/**
 * A session cannot disable triggers, so those that would fire while rows are restored are dropped and created
 * again. Meanwhile their definitions are in this table: a crash loses none.
 */
const SUSPENDED = `${REGISTRY}.suspended_triggers`

const CREATE_SUSPENDED = `CREATE TABLE IF NOT EXISTS ${SUSPENDED} (database_name VARCHAR(64), place INT,
  name VARCHAR(64) NOT NULL, definition LONGTEXT NOT NULL, PRIMARY KEY (database_name, place))
  ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`

export interface Trigger {
  readonly name: string
  readonly table: string
  readonly event: string
  readonly definition: Definition
}

/** The INSERT and DELETE triggers of the current database, in the order in which they fire. */
export async function triggersOf(connection: Connection): Promise<Trigger[]> {
  const rows = await connection.query(
    `SELECT trigger_name AS name, event_object_table AS \`table\`, event_manipulation AS event
     FROM information_schema.triggers WHERE trigger_schema = DATABASE() AND event_manipulation <> 'UPDATE'
     ORDER BY event_object_table, action_timing, event_manipulation, action_order`,
  )
  if (rows.length === 0) return []
  const shown = await batch(
    connection,
    rows.map(({ name }) => `SHOW CREATE TRIGGER ${ident(String(name))}`),
  )
  return rows.map(({ name, table, event }, index) => ({
    name: String(name),
    table: String(table),
    event: String(event),
    definition: definitionFrom(shown[index]?.rows[0]),
  }))
}

/** Creates the table, which the statements of `suspended` require. */
export async function openSuspended(connection: Connection): Promise<void> {
  await createRegistry(connection, CREATE_SUSPENDED)
}

/** The statements before and after those during which the triggers must not fire. */
export function suspended(
  database: string,
  triggers: readonly Trigger[],
): { readonly before: string[]; readonly after: string[] } {
  if (triggers.length === 0) return { before: [], after: [] }
  const entries = triggers.map(({ name, definition }, index) => {
    const values = [literal(database), index, literal(name), literal(JSON.stringify(definition))]
    return `(${values.join(', ')})`
  })
  return {
    before: [
      `REPLACE INTO ${SUSPENDED} (database_name, place, name, definition) VALUES ${entries.join(', ')}`,
      ...triggers.map(({ name }) => `DROP TRIGGER ${ident(name)}`),
    ],
    after: [
      ...triggers.flatMap(({ definition }) => createStatementsOf(definition)),
      deleteSuspendedSql(database),
    ],
  }
}

/** Selects the number of triggers that an unfinished reset left dropped. */
export function pendingQuery(database: string): string {
  return `SELECT COUNT(*) AS pending FROM ${SUSPENDED} WHERE database_name = ${literal(database)}`
}

/** Creates all triggers that an unfinished reset left dropped, in order. Returns whether there were any. */
export async function resumeTriggers(connection: Connection, database: string): Promise<boolean> {
  const rows = await suspendedOf(connection, database)
  if (rows.length === 0) return false
  const statements = rows.flatMap(({ name, definition }) => [
    `DROP TRIGGER IF EXISTS ${ident(String(name))}`,
    ...createStatementsOf(JSON.parse(String(definition)) as Definition),
  ])
  await batch(connection, [...statements, deleteSuspendedSql(database)])
  return true
}

async function suspendedOf(connection: Connection, database: string): Promise<Row[]> {
  try {
    return await connection.query(
      `SELECT name, definition FROM ${SUSPENDED} WHERE database_name = ${literal(database)} ORDER BY place`,
    )
  } catch (error) {
    const errno = errnoOf(error)
    // No reset has suspended triggers on this server yet, or this user may not see the table.
    if ([NO_DATABASE, NO_TABLE, DENIED_DATABASE, DENIED_TABLE].some((expected) => expected === errno))
      return []
    throw error
  }
}

function deleteSuspendedSql(database: string): string {
  return `DELETE FROM ${SUSPENDED} WHERE database_name = ${literal(database)}`
}
