import type { OpenEraser } from '../method.ts'
import { TENANT } from '../tree.ts'
import { openSequelize } from './sequelize-models.ts'

/** With hooks, destroying an instance also destroys the rows that refer to it, one by one. */
export const open: OpenEraser = async (context) => {
  const { db, levels } = openSequelize(context)
  const [roots] = levels
  if (roots === undefined) throw new Error('there is no table')
  return {
    erase: () =>
      db.transaction(async (transaction) => {
        const found = await roots.findAll({ where: { tenant: TENANT }, transaction })
        for (const root of found) await root.destroy({ transaction })
      }),
    close: () => db.close(),
  }
}
