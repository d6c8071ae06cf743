import { setTimeout as sleep } from 'node:timers/promises'
import { attach, RefusedError, type TestDatabase } from '../../../src/index.ts'
import type { OpenEraser } from '../method.ts'
import { TENANT, tableOf } from '../tree.ts'

export const open: OpenEraser = async ({ url, engine, connect }) => {
  // A file is attached by an open handle with the same settings as for all other methods.
  const client = engine === 'sqlite' ? await connect() : undefined
  const database = await attachAlone(client?.handle ?? url)
  return {
    async erase() {
      await database.erase(tableOf('plain', 1), { tenant: TENANT }, { cascade: 'follow' })
    },
    async close() {
      await database.release()
      await client?.close()
    },
  }
}

/** Retries, since a server may list a closed connection for a moment. */
async function attachAlone(target: string | object): Promise<TestDatabase> {
  for (let tries = 1; ; tries++) {
    try {
      return await attach(target)
    } catch (error) {
      if (!(error instanceof RefusedError) || tries === 20) throw error
      await sleep(100)
    }
  }
}
