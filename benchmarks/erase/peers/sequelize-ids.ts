import { Op, type WhereOptions } from 'sequelize'
import type { OpenEraser } from '../method.ts'
import { TENANT } from '../tree.ts'
import { chunked } from './chunked.ts'
import { openSequelize } from './sequelize-models.ts'

const AT_ONCE = 10_000

/** Table by table: reads ids, then calls `destroy` on the rows that refer to them. */
export const open: OpenEraser = async (context) => {
  const { db, levels } = openSequelize(context)
  return {
    erase: () =>
      db.transaction(async (transaction) => {
        const conditions: WhereOptions[][] = [[{ tenant: TENANT }]]
        for (const level of levels.slice(0, -1)) {
          const ids: number[] = []
          for (const where of conditions.at(-1) ?? []) {
            const found = await level.findAll({ where, attributes: ['id'], raw: true, transaction })
            for (const row of found) ids.push((row as unknown as { id: number }).id)
          }
          conditions.push(chunked(ids, AT_ONCE).map((some) => ({ parent: { [Op.in]: some } })))
        }
        for (const level of levels.toReversed()) {
          for (const where of conditions.pop() ?? []) await level.destroy({ where, transaction })
        }
      }),
    close: () => db.close(),
  }
}
