import { beginOn } from '../engine/registry.ts'
import type { Ending, Transaction, TransactionOptions } from '../engine/transaction/transaction.ts'
import { withTimeout } from '../util/with-timeout.ts'
import type { ResetReport } from './report.ts'
import { begunTwice, type OutsideWork, stillBegun, stillRunning, violated } from './rollback-errors.ts'
import type { ResetSession } from './session.ts'

/** What happened to the transaction around a test. */
export interface RollbackReport {
  /** Whether all writes of the client were rolled back: nothing ended the transaction early. */
  readonly held: boolean
  /** What ended the transaction early, as a phrase; `undefined` if `held`. */
  readonly lost: string | undefined
  /**
   * Labels of the tables that were dirty nevertheless: through writes of other connections, writes to
   * non-transactional tables, and writes of the client after the transaction was lost. This reset restored
   * them.
   */
  readonly escaped: readonly string[]
}

/** `rollback` is present only if a transaction was begun since the last reset. */
export type TestReport = ResetReport & { readonly rollback?: RollbackReport }

/** What ends with a reset: the session of the baseline, or of a snapshot. */
export type Resettable = Pick<ResetSession, 'reset'>

/** The transaction around each test of one database: at most one at a time. */
export interface Rollbacks {
  begin(client: object): Promise<void>
  /** Ends the open transaction, if any, and resets. Concurrent calls are queued. */
  reset(open: () => Promise<Resettable>): Promise<TestReport>
  /** Throws `AfreshError` (`usage`) while a transaction is open: other connections do not see its changes. */
  settled(what: OutsideWork): Promise<void>
  /** Ends the open transaction, if any. Never throws. */
  abandon(): Promise<void>
}

/** For strategy `rollback`. */
export function rollbacks(options: TransactionOptions): Rollbacks {
  let current: Promise<Transaction> | undefined
  let last: Promise<unknown> = Promise.resolve()

  const end = async (): Promise<Ending | undefined> => {
    const transaction = await current?.catch(() => undefined)
    current = undefined
    // A query of the test may be waiting for a lock, and `end` waits for that query.
    const { waitMs } = options
    const late = () => {
      throw stillRunning(waitMs)
    }
    return transaction && withTimeout(transaction.end(), waitMs, late)
  }

  const endAndReset = async (open: () => Promise<Resettable>): Promise<TestReport> => {
    const ending = await end()
    const session = await open()
    const { report, changedTables } = await session.reset()
    if (ending === undefined) return report
    if (ending.violation !== undefined) throw violated(ending.violation)
    const { lost } = ending
    return { ...report, rollback: { held: lost === undefined, lost, escaped: changedTables } }
  }

  return {
    async begin(client) {
      if (current !== undefined) throw begunTwice()
      const begun = beginOn(client, options)
      current = begun
      try {
        await begun
      } catch (error) {
        current = undefined
        throw error
      }
    },
    reset(open) {
      const next = last.then(() => endAndReset(open))
      last = next.catch(() => {})
      return next
    },
    async settled(what) {
      if (current !== undefined) throw stillBegun(what)
    },
    async abandon() {
      await end().catch(() => {})
    },
  }
}
