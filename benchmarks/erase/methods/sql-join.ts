import type { OpenEraser } from '../method.ts'
import { joinDeletes, usingDeletes } from '../sql.ts'
import { inOneTransaction } from './statements.ts'

export const open: OpenEraser = (context) => {
  const deletes = context.engine === 'postgres' ? usingDeletes : joinDeletes
  return inOneTransaction(context, deletes('plain', context.depth))
}
