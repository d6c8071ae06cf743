import type { TransactionOptions } from '../engine/transaction/transaction.ts'
import { type Rollbacks, rollbacks } from '../reset/rollback.ts'
import { rollbackNotSelected } from '../reset/rollback-errors.ts'

/** Without strategy `rollback`, a reset is that of the session alone. */
const ALONE: Rollbacks = {
  begin: async () => {
    throw rollbackNotSelected()
  },
  async reset(open) {
    const session = await open()
    return (await session.reset()).report
  },
  settled: async () => {},
  abandon: async () => {},
}

/** @param isRollback whether the options select strategy `rollback` */
export function aroundTest(options: TransactionOptions, isRollback: boolean): Rollbacks {
  return isRollback ? rollbacks(options) : ALONE
}
