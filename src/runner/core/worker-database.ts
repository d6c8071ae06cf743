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

/**
 * A stable object, though the database behind it may be another one for the next test.
 *
 * @param database called for each use; throws if there is none
 * @param copied applied to all results
 */
export function workerDatabase(
  database: () => WorkerDatabase,
  copied: <T>(result: T) => T = (result) => result,
): WorkerDatabase {
  return {
    get name() {
      return database().name
    },
    get url() {
      return database().url
    },
    get env() {
      return copied(database().env)
    },
    begin: async (client) => database().begin(client),
    reset: async () => copied(await database().reset()),
    verify: async () => copied(await database().verify()),
    erase: async (...given) => copied(await database().erase(...given)),
    purge: async (options) => copied(await database().purge(options)),
    load: async (set) => database().load(set),
    snapshot: async (name) => database().snapshot(name),
    restore: async (name) => copied(await database().restore(name)),
    dropSnapshot: async (name) => database().dropSnapshot(name),
    keepCopy: async (options) => copied(await database().keepCopy(options)),
    openResources: async () => copied(await database().openResources()),
  }
}
