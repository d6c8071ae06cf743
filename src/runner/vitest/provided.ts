import { inject } from 'vitest'
import { AfreshError } from '../../errors.ts'
import type { RunHandle } from '../core/run-handle.ts'
import type { WorkerHost } from '../core/worker.ts'

/** What the global setup passes to the workers, as plain JSON. */
export type Provided =
  | { readonly handle: RunHandle; readonly keep: boolean }
  /** In watch mode the configuration may become invalid between two runs. */
  | { readonly problem: string }

declare module 'vitest' {
  interface ProvidedContext {
    afresh: Provided
  }
}

/** @throws AfreshError `usage` if the global setup is missing or failed */
export function host(): WorkerHost {
  const provided: Provided | undefined = inject('afresh')
  if (provided === undefined) {
    throw new AfreshError('usage', "afresh's global setup did not run, so there is no server.", {
      next: "Add globalSetup: ['afresh/vitest/global-setup'] to the vitest configuration.",
    })
  }
  if ('problem' in provided) throw new AfreshError('usage', provided.problem)
  // 1 to maxWorkers in vitest 3, 4 and 5. Not exclusive if a process runs several files: the lease decides.
  return { ...provided, slot: Number(process.env.VITEST_POOL_ID) || 1 }
}
