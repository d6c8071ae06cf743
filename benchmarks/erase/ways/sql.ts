import { nestedDeletes } from '../sql.ts'
import type { OpenWay } from '../way.ts'
import { inOneTransaction } from './statements.ts'

export const open: OpenWay = (context) => inOneTransaction(context, nestedDeletes('plain', context.depth))
