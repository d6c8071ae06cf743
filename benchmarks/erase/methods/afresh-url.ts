import { eraseFrom } from '../../../src/index.ts'
import type { OpenEraser } from '../method.ts'
import { TENANT, tableOf } from '../tree.ts'

export const open: OpenEraser = async ({ url }) => ({
  async erase() {
    await eraseFrom(url, tableOf('plain', 1), { tenant: TENANT }, { cascade: 'follow' })
  },
  close: async () => {},
})
