import type { HarnessHandle } from '../../harness/handle.ts'
import { leaseFrom, urlOfSlot } from '../../harness/lease-from.ts'
import type { TestDatabase } from '../../harness/test-database.ts'
import { now, sleep } from '../../util/clock.ts'
import { leaseByService } from './service/harness-client.ts'
import type { ServiceAddress } from './service/messages.ts'
import { slotTaken } from './slot-taken.ts'

/** What a worker gets to know of its run: plain JSON. */
export interface RunHandle extends HarnessHandle {
  /**
   * The process that holds the sessions. Missing where a worker has its own: with strategy `rollback`, whose
   * transaction is opened on a client of the worker.
   */
  readonly service?: ServiceAddress | undefined
}

export interface WorkerLease {
  /** The preferred slot, counted from 1. */
  readonly slot: number
  /** Whether no other slot will do. Default `false`. */
  readonly exact?: boolean
  /** Whether the process may exit without releasing the database. Default `false`. */
  readonly unref?: boolean
}

/** Milliseconds that a server may take to notice that the previous worker of the slot has gone. */
const NOTICE_MS = 5_000

/**
 * Leases a database for a worker.
 *
 * @throws AfreshError `server` if none can be leased, or if an exact slot stays in use
 */
export async function acquireDatabase(
  handle: RunHandle,
  { slot, exact = false, unref = false }: WorkerLease,
): Promise<TestDatabase> {
  if (handle.service !== undefined) return leaseByService(handle, handle.service, { slot, exact })
  const deadline = now() + NOTICE_MS
  for (;;) {
    const database = await leaseFrom(handle, { slot, unref })
    if (!exact || database.url === urlOfSlot(handle, slot)) return database
    await database.release()
    if (now() > deadline) throw slotTaken(slot)
    await sleep(50)
  }
}
