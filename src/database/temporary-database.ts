import type { Connection } from '../engine/connection.ts'
import type { Databases } from '../engine/databases.ts'
import type { Engine } from '../engine/engine.ts'
import { withUndo } from '../errors.ts'

/** A server on which afresh may create and drop databases. */
export interface TemporaryDatabaseServer {
  readonly engine: Engine
  readonly databases: Databases
  readonly adminUrl: string
}

/** An empty database for measurements, with a mark by which the reaper recognizes it. */
export interface TemporaryDatabase {
  readonly name: string
  readonly mark: string
  readonly url: string
  readonly connection: Connection
  /** Closes the connection and drops the database. */
  drop(): Promise<void>
}

/**
 * Creates the database and connects to it. If that fails, throws the server's error and leaves nothing
 * behind.
 *
 * @param name a name from `Names`, which the reaper recognizes
 */
export async function makeTemporaryDatabase(
  server: TemporaryDatabaseServer,
  admin: Connection,
  name: string,
): Promise<TemporaryDatabase> {
  const { engine, databases, adminUrl } = server
  const mark = await databases.create(admin, name)
  const url = databases.urlOf(adminUrl, name)
  return withUndo(
    async () => {
      const connection = await engine.connect(url, { applicationName: 'afresh (bench)', names: 'user' })
      const drop = async () => {
        await connection.close().catch(() => {})
        await databases.drop(admin, name, mark)
      }
      return { name, mark, url, connection, drop }
    },
    () => databases.drop(admin, name, mark),
  )
}
