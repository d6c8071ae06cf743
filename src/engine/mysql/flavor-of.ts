import type { Connection } from '../connection.ts'
import { mariadbFlavor } from '../mariadb/flavor.ts'
import { type Flavor, isMariaDb, mysqlFlavor } from './flavor.ts'

const flavors = new WeakMap<Connection, Promise<Flavor>>()

export function flavorOf(connection: Connection): Promise<Flavor> {
  const found =
    flavors.get(connection) ??
    connection
      .query('SELECT VERSION() AS version')
      .then(([row]) => (isMariaDb(String(row?.version)) ? mariadbFlavor : mysqlFlavor))
  flavors.set(connection, found)
  return found
}

/** Saves a new connection the question which server it is on. */
export function onSameServer(connection: Connection, other: Connection): void {
  flavors.set(connection, flavorOf(other))
}
