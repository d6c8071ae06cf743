import type { Connection, Row } from '../connection.ts'
import { asNotedRole } from './client-role.ts'
import { SERVER_NAMES, settingsSql } from './settings.ts'

const serverNamed = new WeakSet<Connection>()

/** Records that the connection's session resolves names to system schemas first. */
export function withServerNames<T extends Connection>(connection: T): T {
  serverNamed.add(connection)
  return connection
}

/**
 * Reads the catalog with system names, on any connection. Unless the session resolves names that way itself,
 * the setting applies to this message only.
 */
export function readCatalog(connection: Connection, sql: string): Promise<Row[]> {
  return connection.query(
    serverNamed.has(connection)
      ? sql
      : `${asNotedRole(connection)}${settingsSql('SET LOCAL', [SERVER_NAMES])}; ${sql}`,
  )
}
