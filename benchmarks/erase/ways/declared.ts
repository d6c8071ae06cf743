import { TENANT, tableOf } from '../tree.ts'
import type { OpenWay } from '../way.ts'

export const open: OpenWay = async ({ connect }) => {
  const client = await connect()
  return {
    async erase() {
      await client.run(`DELETE FROM ${tableOf('cascading', 1)} WHERE tenant = ${TENANT}`)
    },
    close: () => client.close(),
  }
}
