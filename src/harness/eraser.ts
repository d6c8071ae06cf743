import type { Connection, Engine } from '../engine/engine.ts'
import { erase, type PurgeOptions, purge } from '../erase/erase.ts'
import type { EraseOptions } from '../erase/options.ts'
import type { EraseReport } from '../erase/report.ts'
import type { Ground } from '../erase/transact.ts'
import type { Where } from '../erase/where.ts'
import { AfreshError, EraseError } from '../errors.ts'
import type { ResetSession } from '../reset/session.ts'

export interface Eraser {
  erase(table: string, where: Where, options?: EraseOptions): Promise<EraseReport>
  purge(options?: PurgeOptions): Promise<EraseReport>
  close(): Promise<void>
}

/** What an eraser works on now. */
export interface EraserGround {
  readonly engine: Engine
  /** Where the database is reset. */
  readonly connection: Connection
  readonly session: Pick<ResetSession, 'schema' | 'lockTimeoutMs' | 'alone'>
}

/**
 * Erases on a connection of its own, opened for the first erase: the one that resets has foreign keys and triggers switched
 * off, and settings that are no others' business. A client of the user's, and a handle, are used as they are.
 *
 * @param unref the connection lets the process end
 */
export function eraserOn(current: () => Promise<EraserGround>, { unref = false } = {}): Eraser {
  let own: Promise<Connection> | undefined

  const connectionFor = ({
    engine,
    connection: { url, owned },
    connection,
  }: EraserGround): Promise<Connection> => {
    if (!owned || url === undefined || engine.databases === undefined) return Promise.resolve(connection)
    own ??= engine.connect(url).then((opened) => {
      if (unref) opened.unref?.()
      return opened
    })
    return own
  }

  const close = async (): Promise<void> => {
    const open = own
    own = undefined
    await open?.then((connection) => connection.close()).catch(() => {})
  }

  const on = async (work: (ground: Ground) => Promise<EraseReport>): Promise<EraseReport> => {
    const ground = await current()
    const { schema, lockTimeoutMs, alone } = ground.session
    return alone(async () => {
      try {
        const connection = await connectionFor(ground)
        return await work({ engine: ground.engine, connection, schema, lockTimeoutMs })
      } catch (error) {
        const isRefusal = error instanceof AfreshError && !(error instanceof EraseError)
        // It may have been lost, or left in a state that nobody foresaw: the next one is new.
        if (!isRefusal) await close()
        throw error
      }
    })
  }

  return {
    erase: (table, where, options) => on((ground) => erase(ground, table, where, options)),
    purge: (options) => on((ground) => purge(ground, options)),
    close,
  }
}
