import { namesFor } from '../database/names.ts'
import { engineNamed } from '../engine/registry.ts'
import { AfreshError } from '../errors.ts'
import { explainFullMemory } from '../server/full-memory.ts'
import { clearInterval, setInterval } from '../util/clock.ts'
import { aroundTest } from './around-test.ts'
import { withEnvironment } from './environment.ts'
import type { HarnessHandle } from './handle.ts'
import { keepCopy } from './keep-copy.ts'
import { type MadeHere, openLease, type ReacquiredLease } from './lease-session.ts'
import { leasedDatabase } from './leased-database.ts'
import { whileServerAnswers } from './liveness.ts'
import { RenewableLease } from './renewable-lease.ts'
import type { LeaseOptions, TestDatabase } from './test-database.ts'

/**
 * Leases a database of the harness, from any process.
 *
 * @param handle from `Harness.handle`
 * @param made by the harness of this process
 * @throws AfreshError `usage` for an invalid slot, `server`
 */
export async function leaseFrom(
  handle: HarnessHandle,
  options: LeaseOptions = {},
  made?: MadeHere,
): Promise<TestDatabase> {
  const slot = options.slot ?? 1
  if (!Number.isInteger(slot) || slot < 1) {
    throw new AfreshError('usage', `slot: ${slot} is not a whole number from 1 on.`, {
      next: 'Leave it out, or count from 1.',
    })
  }
  const engine = engineNamed(handle.engine)
  const { databases } = engine
  if (databases === undefined) throw new Error(`${engine.title} has no server to lease databases from`)
  const take = async (first: number, again?: ReacquiredLease) => {
    const asked = { engine, url: handle.adminUrl, doing: 'a database was leased' }
    const held = await whileServerAnswers(
      () => openLease(engine, databases, handle, { first, again, made }),
      asked,
    ).catch((error) => {
      throw explainFullMemory(error, handle.server)
    })
    if (options.unref === true) held.lease.connection.unref?.()
    return held
  }
  const lease = await RenewableLease.take(engine, slot, take)
  const waitMs = handle.options.lockTimeoutMs
  const around = aroundTest({ database: lease.name, waitMs }, handle.rollback)
  const leased = leasedDatabase(engine, lease, {
    around,
    unref: options.unref === true,
    fixtures: handle.fixtures,
    keepCopy: (current, options) => keepCopy(engine, handle, current, options),
    snapshots: {
      options: handle.options,
      costs: handle.costs,
      copyName: () => namesFor(handle.project, databases.maxNameBytes).copy(handle.run),
    },
  })
  const database = withEnvironment(leased, handle)
  return options.unref === true ? inBackground(database) : database
}

/** The connection does not keep the process alive, so a timer does while a query runs. */
function inBackground(database: TestDatabase): TestDatabase {
  const alive = async <T>(work: () => Promise<T>): Promise<T> => {
    const timer = setInterval(() => {}, 60_000)
    try {
      return await work()
    } finally {
      clearInterval(timer)
    }
  }
  const release = () => alive(database.release)
  return {
    ...database,
    begin: (client) => alive(() => database.begin(client)),
    reset: () => alive(database.reset),
    verify: () => alive(database.verify),
    erase: (...given) => alive(() => database.erase(...given)),
    purge: (options) => alive(() => database.purge(options)),
    load: (set) => alive(() => database.load(set)),
    snapshot: (name) => alive(() => database.snapshot(name)),
    restore: (name) => alive(() => database.restore(name)),
    dropSnapshot: (name) => alive(() => database.dropSnapshot(name)),
    keepCopy: (options) => alive(() => database.keepCopy(options)),
    openResources: () => alive(database.openResources),
    endOpenResources: (found) => alive(() => database.endOpenResources(found)),
    release,
    [Symbol.asyncDispose]: release,
  }
}

/** The URL of the database in a slot, leased or not, provided that no other worker takes the slot. */
export function urlOfSlot({ engine, adminUrl, project, run }: HarnessHandle, slot: number): string {
  const { databases } = engineNamed(engine)
  if (databases === undefined) throw new Error(`${engine} has no server to lease databases from`)
  return databases.urlOf(adminUrl, namesFor(project, databases.maxNameBytes).database(run, slot))
}
