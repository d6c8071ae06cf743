import { open } from '../engine/registry.ts'
import { withUndo } from '../errors.ts'
import type { RunningServer } from '../server/server.ts'
import type { ServerContext } from './prepare-baseline.ts'

/** Connects to the server; the caller closes `admin`. */
export async function contextOf(server: RunningServer): Promise<ServerContext> {
  const { engine, connection: admin } = await open(server.url, { applicationName: 'afresh (harness)' })
  return withUndo(
    async () => {
      const { databases } = engine
      if (databases === undefined) throw new Error(`${engine.title} has no server`)
      const facts = await databases.facts(admin)
      return { engine, databases, admin, adminUrl: server.url, facts }
    },
    () => admin.close(),
  )
}
