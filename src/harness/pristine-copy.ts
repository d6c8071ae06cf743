import { makeDatabase, type Source } from '../database/lease.ts'
import type { Connection } from '../engine/connection.ts'
import type { PristineCopy } from '../engine/resetter.ts'

export interface OwnPristineCopy extends PristineCopy {
  /** Closes the connection. The copy is dropped with the databases of the run. */
  close(): Promise<void>
}

/** @param source `name` returns another name each time */
export function pristineCopy(source: Source & { name(): string }): OwnPristineCopy {
  let made: Promise<Connection> | undefined

  const make = async (): Promise<Connection> => {
    const admin = await source.engine.connect(source.adminUrl)
    try {
      const { connection } = await makeDatabase(source, admin, source.name())
      connection.unref?.()
      return connection
    } finally {
      await admin.close()
    }
  }
  const forget = async (): Promise<void> => {
    const last = made
    made = undefined
    await last?.then((connection) => connection.close()).catch(() => {})
  }
  return {
    async use(work) {
      made ??= make()
      const used = made
      try {
        return await work(await used)
      } catch (error) {
        if (made === used) await forget()
        throw error
      }
    },
    close: forget,
  }
}
