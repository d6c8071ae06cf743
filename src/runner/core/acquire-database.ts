import type { TestDatabase } from '../../harness/test-database.ts'
import { leaseExactly } from './lease-exactly.ts'
import type { RunHandle } from './run-handle.ts'
import { leaseByService } from './service/harness-client.ts'

export interface WorkerLease {
  /** The preferred slot, counted from 1. */
  readonly slot: number
  /** Whether no other slot will do. Default `false`. */
  readonly exact?: boolean
  /** Whether the process may exit without releasing the database. Default `false`. */
  readonly unref?: boolean
}

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
  const lease = () => leaseFrom(handle, { slot, unref })
  if (!exact) return lease()
  return leaseExactly({ slot, url: urlOfSlot(handle, slot) }, lease, (database) => database.release())
}
