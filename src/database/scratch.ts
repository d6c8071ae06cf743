import type { Connection, Databases, Engine } from '../engine/engine.ts'
import { withUndo } from '../errors.ts'
import { newMark } from './mark.ts'

/** Where a database of our own can be made and dropped. */
export interface ScratchPlace {
  readonly engine: Engine
  readonly databases: Databases
  readonly adminUrl: string
}

/** An empty database for measuring, marked so that the reaper knows it for one of ours. */
export interface Scratch {
  readonly name: string
  readonly mark: string
  readonly url: string
  readonly connection: Connection
  /** Closes the connection and drops the database. */
  drop(): Promise<void>
}

/**
 * @param name one that `Names` made: the reaper knows those
 * Throws what the server throws, and leaves nothing then.
 */
export async function makeScratch(place: ScratchPlace, admin: Connection, name: string): Promise<Scratch> {
  const { engine, databases, adminUrl } = place
  await databases.create(admin, name)
  const url = databases.urlOf(adminUrl, name)
  return withUndo(
    async () => {
      const connection = await engine.connect(url, { applicationName: 'afresh (bench)' })
      return withUndo(
        async () => {
          const mark = newMark(await engine.ownership.expected(connection))
          await engine.ownership.write(connection, mark)
          const drop = async () => {
            await connection.close().catch(() => {})
            await databases.drop(admin, name, mark)
          }
          return { name, mark, url, connection, drop }
        },
        () => connection.close(),
      )
    },
    () => dropJustMade(admin, name),
  )
}

/**
 * Drops a database without a mark, which the reaper would leave alone for ever. It must be known to be ours: made a moment
 * ago, by a CREATE that fails where there is one.
 *
 * @param name one that `Names` made, so it needs no quotes
 */
export async function dropJustMade(admin: Connection, name: string): Promise<void> {
  await admin.query(`DROP DATABASE IF EXISTS ${name}`)
}
