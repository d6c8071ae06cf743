import type { Connection } from '../engine/connection.ts'
import type { Databases, ServerFacts } from '../engine/databases.ts'
import type { Engine } from '../engine/engine.ts'
import { open } from '../engine/registry.ts'
import { withUndo } from '../errors.ts'

export interface ServerContext {
  readonly engine: Engine
  readonly databases: Databases
  readonly admin: Connection
  readonly adminUrl: string
  readonly facts: ServerFacts
}

/** Connects to the server; the caller closes `admin`. */
export async function contextOf(adminUrl: string): Promise<ServerContext> {
  const { engine, connection: admin } = await open(adminUrl, { applicationName: 'afresh (harness)' })
  return withUndo(
    async () => {
      const { databases } = engine
      if (databases === undefined) throw new Error(`${engine.title} has no server`)
      const facts = await databases.facts(admin)
      return { engine, databases, admin, adminUrl, facts }
    },
    () => admin.close(),
  )
}
