import type { OpenEraser } from '../method.ts'
import { nestedDeletes } from '../sql.ts'
import { inOneTransaction } from './statements.ts'

export const open: OpenEraser = (context) => inOneTransaction(context, nestedDeletes('plain', context.depth))
