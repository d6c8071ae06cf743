import type { TestDatabase } from '../../harness/test-database.ts'
import { now, sleep } from '../../util/clock.ts'
import type { RunHandle } from './run-handle.ts'
import { leaseByService } from './service/harness-client.ts'
import { slotTaken } from './slot-taken.ts'

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
  const { service } = handle
  if (service !== undefined) return leaseByService(handle, service, { slot, exact })
  // The engines take longer to load than many a test: only for a worker that has no service to ask.
  const { leaseFrom, urlOfSlot } = await import('../../harness/lease-from.ts')
  const deadline = now() + NOTICE_MS
  for (;;) {
    const database = await leaseFrom(handle, { slot, unref })
    if (!exact || database.url === urlOfSlot(handle, slot)) return database
    await database.release()
    if (now() > deadline) throw slotTaken(slot)
    await sleep(50)
  }
}
