import type { HarnessHandle } from '../../harness/handle.ts'
import type { ServiceAddress } from './service/messages.ts'

/** What a worker knows of its run, as plain JSON. */
export type RunHandle = ServedHandle | OwnHandle

/** Another process holds the sessions. */
export type ServedHandle = Pick<HarnessHandle, 'run' | 'server' | 'tests'> & {
  readonly service: ServiceAddress
}

/** The worker has sessions of its own, as strategy `rollback` needs: its transactions are the worker's. */
type OwnHandle = HarnessHandle & { readonly service?: undefined }
