import type { TestDatabase } from '../../harness/test-database.ts'

/** The worker's database as tests use it. The runner leases it, resets it and gives it back. */
export type WorkerDatabase = Pick<
  TestDatabase,
  | 'name'
  | 'url'
  | 'env'
  | 'begin'
  | 'reset'
  | 'verify'
  | 'erase'
  | 'purge'
  | 'load'
  | 'snapshot'
  | 'restore'
  | 'dropSnapshot'
  | 'keepCopy'
  | 'openResources'
>

/** @param database called for each use */
export function workerDatabase(database: () => TestDatabase): WorkerDatabase {
  return {
    get name() {
      return database().name
    },
    get url() {
      return database().url
    },
    get env() {
      return database().env
    },
    begin: (client) => database().begin(client),
    reset: () => database().reset(),
    verify: () => database().verify(),
    erase: (...given) => database().erase(...given),
    purge: (options) => database().purge(options),
    load: (set) => database().load(set),
    snapshot: (name) => database().snapshot(name),
    restore: (name) => database().restore(name),
    dropSnapshot: (name) => database().dropSnapshot(name),
    keepCopy: (options) => database().keepCopy(options),
    openResources: () => database().openResources(),
  }
}
