import { setTimeout as sleep } from 'node:timers/promises'
import { type Lease, lease as leaseDatabase } from '../database/lease.ts'
import { namesFor } from '../database/names.ts'
import type { Connection, Databases, Engine, Hold } from '../engine/engine.ts'
import { engineNamed } from '../engine/registry.ts'
import type { PurgeOptions } from '../erase/erase.ts'
import type { EraseOptions } from '../erase/options.ts'
import type { EraseReport } from '../erase/report.ts'
import type { Where } from '../erase/where.ts'
import { AfreshError, withUndo } from '../errors.ts'
import { type Rollbacks, rollbacks, type TestReport } from '../reset/rollback/rollback.ts'
import { openSession, type ResetSession } from '../reset/session.ts'
import type { Difference } from '../reset/verify.ts'
import { explainFullMemory } from '../server/memory.ts'
import { eraserOn } from './eraser.ts'
import { fingerprintOf, type HarnessHandle, isAtBaseline } from './handle.ts'

/** A real database that one worker or test has to itself, and that can be put back to its baseline. */
export interface TestDatabase extends AsyncDisposable {
  readonly name: string
  /** For the clients of the code under test. Empty where the database was attached by an open client. */
  readonly url: string
  /**
   * With strategy `rollback`: opens a transaction on the client that the code under test uses, until the next
   * `reset`, which rolls it back. BEGIN, COMMIT, ROLLBACK and savepoints of the test work within it as they would
   * without, and an error in one statement does not spoil the next. A pool lends one connection at a time meanwhile,
   * and waits `lockTimeoutMs` for it to come back. What a rollback cannot do is in docs/rollback.md.
   *
   * @param client a connected `pg` Client or Pool, or a `mysql2` connection or pool (promises or callbacks)
   * @throws AfreshError `usage` for another strategy or client, for one that is connected elsewhere or in a
   * transaction, where the transaction of the test before is still open, and after `release`
   */
  begin(client: object): Promise<void>
  /**
   * Puts back rows and sequences. Calls wait for each other. After `begin` it first gives the client back as it was
   * and rolls back; the report's `rollback` says what escaped the transaction.
   *
   * @throws ResetError naming step, table, statement and cause; the next reset recovers
   * @throws RefusedError when the database is not ours any more
   * @throws AfreshError `reset` for rows that break a deferred constraint, which a COMMIT would have refused (the
   * database is at its baseline then); `blocked` when a query of the test does not come to its end
   */
  reset(): Promise<TestReport>
  /** Everything in which the database differs from its baseline now; changes nothing. */
  verify(): Promise<Difference[]>
  /**
   * Deletes selected rows, and on request what refers to them: from what is committed, on a connection of afresh's own, in
   * one transaction. Which tables that takes is decided by the schema as it was at the last reset. docs/erase.md
   *
   * @param table its name, with its schema where that is not the default
   * @param where columns and their values, keys, or sql`…`; values are always bound
   * @throws AfreshError `erase`: other rows would have to go too and nobody said that they may (no row was read then);
   * there are more than `max`; a statement failed. `usage`: a table, column, value or option that cannot be used, or
   * the transaction of `begin` is open. `blocked`: another session held a lock. Nothing was changed, but for batches before.
   */
  erase(table: string, where: Where, options?: EraseOptions): Promise<EraseReport>
  /** Deletes what `softDelete` has marked, in every table that has the column. Throws as `erase` does. */
  purge(options?: PurgeOptions): Promise<EraseReport>
  /**
   * What other sessions hold in the database now: open transactions, running statements, advisory locks, temporary
   * tables. Changes nothing. Always empty where nobody else can be connected (SQLite, PGlite). MySQL and MariaDB answer a
   * moment before a statement is over: it may be there still.
   */
  holds(): Promise<Hold[]>
  /** Ends the sessions that these are of: their clients lose the connection. What is of no session stays. */
  endHolds(holds: readonly Hold[]): Promise<void>
  /** Gives the database back. May be called again. */
  release(): Promise<void>
}

export interface LeaseOptions {
  /** The slot to look at first, counted from 1, for a worker that always wants the same database. Default 1. */
  readonly slot?: number
  /**
   * Whether the process may end without having released the database: the lease ends with the process, and does not
   * keep it alive. Default false.
   */
  readonly unref?: boolean
}

/** Leases a database of the harness, from this process or any other. */
export async function leaseFrom(handle: HarnessHandle, options: LeaseOptions = {}): Promise<TestDatabase> {
  const slot = options.slot ?? 1
  if (!Number.isInteger(slot) || slot < 1) {
    throw new AfreshError('usage', `slot: ${slot} is not a whole number from 1 on.`, {
      next: 'Leave it out, or count from 1.',
    })
  }
  const engine = engineNamed(handle.engine)
  const { databases } = engine
  if (databases === undefined) throw new Error(`${engine.title} has no server to lease databases from`)
  const around = (database: string) =>
    rollbacks({ database, waitMs: handle.options.lockTimeoutMs }, handle.rollback)
  const take = async (first: number) => {
    const held = await hold(engine, databases, handle, first).catch((error) => {
      throw explainFullMemory(error, handle.server)
    })
    if (options.unref === true) held.lease.connection.unref?.()
    return held
  }
  const database = await leasedDatabase(engine, slot, take, around, options.unref === true)
  return options.unref === true ? inBackground(database) : database
}

/** Its connection does not keep the process alive, not even while a query is under way. */
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
    holds: () => alive(database.holds),
    endHolds: (holds) => alive(() => database.endHolds(holds)),
    release,
    [Symbol.asyncDispose]: release,
  }
}

/** The URL that the database in a slot has, or will have, if nobody else takes the slot. */
export function urlOfSlot({ engine, adminUrl, project, run }: HarnessHandle, slot: number): string {
  const { databases } = engineNamed(engine)
  if (databases === undefined) throw new Error(`${engine} has no server to lease databases from`)
  return databases.urlOf(adminUrl, namesFor(project, databases.maxNameBytes).database(run, slot))
}

/** How long a server may take to notice that a connection was lost: the lock is held until then. */
const NOTICE_MS = 3_000

interface Held {
  readonly lease: Lease
  readonly session: ResetSession
}

async function hold(
  engine: Engine,
  databases: Databases,
  handle: HarnessHandle,
  firstSlot: number,
): Promise<Held> {
  const names = namesFor(handle.project, databases.maxNameBytes)
  const lease = await leaseDatabase({
    engine,
    databases,
    adminUrl: handle.adminUrl,
    template: handle.template,
    nameOf: (slot) => names.database(handle.run, slot),
    firstSlot,
    isClean: (connection) => isAtBaseline(engine, connection, handle.baseline),
  })
  const { connection, mark } = lease
  const { options, template, baseline, costs } = handle
  return withUndo(
    async () => {
      const from = { mark, template, baseline: fingerprintOf(baseline), costs }
      return { lease, session: await openSession({ engine, connection, options, ...from }) }
    },
    () => lease.release(),
  )
}

/**
 * A connection that was lost takes the lease and the captured baseline with it; the next reset leases anew, and
 * finds or makes a database that is at the baseline.
 */
async function leasedDatabase(
  engine: Engine,
  wanted: number,
  take: (slot: number) => Promise<Held>,
  around: (database: string) => Rollbacks,
  unref: boolean,
): Promise<TestDatabase> {
  let held: Promise<Held> | undefined = take(wanted)
  const { name, url, slot } = (await held).lease
  const { begin, settled, ...transaction } = around(name)
  let isReleased = false

  const current = async (): Promise<Held> => {
    if (isReleased) throw wasReleased(name)
    held ??= takeAgain()
    return held
  }

  /** Clients have the URL of this very database: another one would not do. */
  const takeAgain = async (): Promise<Held> => {
    const deadline = Date.now() + NOTICE_MS
    for (;;) {
      const again = await take(slot)
      if (again.lease.name === name) return again
      await again.lease.release()
      if (Date.now() > deadline) break
      await sleep(50)
    }
    throw new AfreshError(
      'server',
      `The database "${name}" was leased by another worker after its connection was lost.`,
      {
        next: 'Lease another one, and open new clients for it.',
      },
    )
  }

  const orForget = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (error instanceof AfreshError && (error.code === 'server' || error.code === 'plan')) {
        const lost = await held?.catch(() => undefined)
        held = undefined
        // The same slot is leased again at once: nobody waits until the server has noticed that somebody has gone.
        await lost?.lease.release().catch(() => {})
      }
      throw error
    }
  }

  const reset = () => orForget(() => transaction.reset(async () => (await current()).session))

  const eraser = eraserOn(
    async () => {
      await settled()
      const { session, lease } = await current()
      return { engine, connection: lease.connection, session }
    },
    { unref },
  )

  const release = async (): Promise<void> => {
    if (isReleased) return
    isReleased = true
    await transaction.abandon()
    await eraser.close()
    // Best effort: whoever leases the database next checks it, and makes it again where it has to.
    const last = await held?.catch(() => undefined)
    await last?.session.reset().catch(() => {})
    await last?.session.close().catch(() => {})
    await last?.lease.release().catch(() => {})
  }

  return {
    name,
    url,
    async begin(client) {
      if (isReleased) throw wasReleased(name)
      await begin(client)
    },
    reset: async () => {
      try {
        return await reset()
      } catch (error) {
        if (!(error instanceof AfreshError) || error.code !== 'plan') throw error
        return {
          ...(await reset()),
          notes: [madeAgain(error)],
        }
      }
    },
    verify: () => orForget(async () => (await current()).session.verify()),
    erase: eraser.erase,
    purge: eraser.purge,
    holds: () => orForget(async () => holdsOn(engine, (await current()).lease.connection).holds()),
    endHolds: (found) =>
      orForget(async () => holdsOn(engine, (await current()).lease.connection).endHolds(found)),
    release,
    [Symbol.asyncDispose]: release,
  }
}

export function holdsOn({ holds }: Engine, connection: Connection): Pick<TestDatabase, 'holds' | 'endHolds'> {
  return {
    holds: async () => (await holds?.find(connection)) ?? [],
    endHolds: async (found) => {
      const sessions = found.flatMap(({ session }) => session ?? [])
      if (sessions.length > 0) await holds?.end(connection, [...new Set(sessions)])
    },
  }
}

export function wasReleased(name: string): AfreshError {
  return new AfreshError('usage', `The database "${name}" was released.`, { next: 'Take another one.' })
}

function madeAgain({ cause, message }: AfreshError): string {
  const [what] = (cause instanceof Error ? cause.message : message).split('\n')
  return `The schema was changed by a test (${what}): the database was made again from its template.`
}
