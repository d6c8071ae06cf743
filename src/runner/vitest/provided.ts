import { inject } from 'vitest'
import { AfreshError } from '../../errors.ts'
import { withPlainErrors } from '../core/plain-errors.ts'
import { askHandle } from '../core/service/harness-client.ts'
import type { ServiceAddress } from '../core/service/messages.ts'
import type { WorkerHost } from '../core/worker.ts'

/** What the global setup passes to the workers, as plain JSON. */
export type Provided =
  | { readonly service: ServiceAddress; readonly keep: boolean }
  /** In watch mode the configuration may become invalid between two runs. */
  | { readonly problem: string }

declare module 'vitest' {
  interface ProvidedContext {
    afresh: Provided
  }
}

/**
 * Waits until the harness is ready: it may start at the same time as the workers.
 *
 * @throws AfreshError `usage` if the global setup is missing or failed; as `createHarness` does
 */
export async function host(): Promise<WorkerHost> {
  const provided: Provided | undefined = inject('afresh')
  if (provided === undefined) {
    throw new AfreshError('usage', "afresh's global setup did not run, so there is no server.", {
      next: "Add globalSetup: ['afresh/vitest/global-setup'] to the vitest configuration.",
    })
  }
  if ('problem' in provided) throw new AfreshError('usage', provided.problem)
  // 1 to maxWorkers in vitest 3, 4 and 5. Not exclusive if a process runs several files: the lease decides.
  const { service, keep } = provided
  const handle = await withPlainErrors(() => askHandle(service))
  return { handle, keep, slot: Number(process.env.VITEST_POOL_ID) || 1 }
}
