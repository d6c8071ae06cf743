import { eraseFrom } from '../../../src/index.ts'
import { TENANT, tableOf } from '../tree.ts'
import type { OpenWay } from '../way.ts'

export const open: OpenWay = async ({ url }) => ({
  async erase() {
    await eraseFrom(url, tableOf('plain', 1), { tenant: TENANT }, { cascade: 'follow' })
  },
  close: async () => {},
})
