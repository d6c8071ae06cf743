import { joinDeletes, usingDeletes } from '../sql.ts'
import type { OpenWay } from '../way.ts'
import { inOneTransaction } from './statements.ts'

export const open: OpenWay = (place) => {
  const deletes = place.engine === 'postgres' ? usingDeletes : joinDeletes
  return inOneTransaction(place, deletes('plain', place.depth))
}
