import { attach } from '../../../src/index.ts'
import { TENANT, tableOf } from '../tree.ts'
import type { OpenWay } from '../way.ts'

export const open: OpenWay = async ({ url, engine, connect }) => {
  // A file is attached by an open handle, which has the same settings as that of all other ways.
  const client = engine === 'sqlite' ? await connect() : undefined
  const database = await attach(client?.handle ?? url)
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
