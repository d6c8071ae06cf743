import { joinDeletes, usingDeletes } from '../sql.ts'
import type { OpenWay } from '../way.ts'
import { inOneTransaction } from './statements.ts'

export const open: OpenWay = (context) => {
  const deletes = context.engine === 'postgres' ? usingDeletes : joinDeletes
  return inOneTransaction(context, deletes('plain', context.depth))
}
