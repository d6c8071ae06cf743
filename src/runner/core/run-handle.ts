import type { HarnessHandle } from '../../harness/handle.ts'
import type { ServiceAddress } from './service/messages.ts'

/** What a worker knows of its run, as plain JSON. */
export interface RunHandle extends HarnessHandle {
  /**
   * The process that holds the sessions. Missing if the worker has sessions of its own, as strategy
   * `rollback` needs: its transactions are opened on clients of the worker.
   */
  readonly service?: ServiceAddress | undefined
}
