import type { OpenEraser } from '../method.ts'
import { TENANT, tableOf } from '../tree.ts'

export const open: OpenEraser = async ({ connect }) => {
  const client = await connect()
  return {
    async erase() {
      await client.run(`DELETE FROM ${tableOf('cascading', 1)} WHERE tenant = ${TENANT}`)
    },
    close: () => client.close(),
  }
}
