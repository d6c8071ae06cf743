import type { Connection, Row } from '../connection.ts'
import { asNotedRole } from './client-role.ts'
import { SERVER_NAMES, settingsSql } from './settings.ts'

const serverNamed = new WeakSet<Connection>()

/** The connection, known to look up names among the server's own. */
export function withServerNames<T extends Connection>(connection: T): T {
  serverNamed.add(connection)
  return connection
}

/**
 * Reads the catalog with the server's names, on any connection: elsewhere the setting ends with the message that it is
 * sent in.
 */
export function readCatalog(connection: Connection, sql: string): Promise<Row[]> {
  return connection.query(
    serverNamed.has(connection)
      ? sql
      : `${asNotedRole(connection)}${settingsSql('SET LOCAL', [SERVER_NAMES])}; ${sql}`,
  )
}
