/**
 * In: the lease of a database. Out: named states of the database to which it returns at the cost of what was
 * written since. Each is a session of its own, whose baseline is the state.
 */
import type { Claim } from '../engine/claim.ts'
import type { Connection } from '../engine/connection.ts'
import type { Engine } from '../engine/engine.ts'
import { AfreshError, messageOf } from '../errors.ts'
import type { Costs } from '../plan/cost.ts'
import type { ResetOptions } from '../reset/options.ts'
import type { SessionReset } from '../reset/report.ts'
import type { Resettable, Rollbacks } from '../reset/rollback.ts'
import { openSession, type ResetSession } from '../reset/session.ts'
import { nearest } from '../util/nearest.ts'
import { settledWithin } from '../util/with-timeout.ts'
import { whileServerAnswers } from './liveness.ts'
import type { TestDatabase } from './test-database.ts'

/** Each holds a connection, and a copy of all rows. */
const MOST = 8

/** Milliseconds to wait for a restore under way before its session is closed; a server may be silent. */
const RESTORE_MS = 5_000

/** The database that is snapshotted, and the session of its baseline. */
export interface SnapshotSource {
  readonly engine: Engine
  readonly connection: Connection
  readonly session: Pick<ResetSession, 'alone'>
  readonly claim: Claim | undefined
  readonly options: ResetOptions
  readonly costs?: Costs | undefined
  /** See `Program`. */
  readonly copyName?: string | undefined
}

interface Snapshot {
  /** The connection of the lease: another one means that the database may have been recreated. */
  readonly lease: Connection
  readonly connection: Connection
  readonly session: ResetSession
}

export class Snapshots {
  readonly #current: () => Promise<SnapshotSource>
  readonly #unref: boolean
  readonly #kept = new Map<string, Snapshot>()
  /** Names of snapshots that no longer exist, with the reason. */
  readonly #lost = new Map<string, string>()

  /** @param unref connections do not keep the process alive */
  constructor(current: () => Promise<SnapshotSource>, { unref = false } = {}) {
    this.#current = current
    this.#unref = unref
  }

  /** @throws AfreshError `usage` for an invalid name, too many snapshots, or a client of the user's */
  async take(name: string): Promise<void> {
    if (typeof name !== 'string' || name === '') throw invalidName(name)
    const source = await this.#current()
    refuseSharedSession(source)
    await this.#dropOutdated(source)
    const { engine, connection, session } = source
    const asked = { engine, url: connection.url, doing: 'a snapshot was taken' }
    await session.alone(() => whileServerAnswers(() => this.#replace(name, source), asked))
  }

  /** The session that returns the database to the snapshot. Throws `AfreshError` (`usage`, `reset`). */
  async open(name: string): Promise<Resettable> {
    const source = await this.#current()
    await this.#dropOutdated(source)
    const found = this.#kept.get(name)
    if (found === undefined) throw this.#missing(name)
    const { engine, connection, session } = source
    const asked = { engine, url: connection.url, doing: 'a snapshot was restored' }
    const restore = async () => {
      // It may have been dropped while this call waited for another one.
      if (this.#kept.get(name) !== found) throw this.#missing(name)
      return this.#explained(name, found, found.session.reset)
    }
    return { reset: () => session.alone(() => whileServerAnswers(restore, asked)) }
  }

  /** Drops one snapshot; without a name, all of them. */
  async drop(name?: string): Promise<void> {
    const names = name === undefined ? [...this.#kept.keys(), ...this.#lost.keys()] : [name]
    for (const each of names) {
      const found = this.#kept.get(each)
      this.#kept.delete(each)
      this.#lost.delete(each)
      if (found !== undefined)
        await settledWithin(
          found.session.alone(() => close(found)),
          RESTORE_MS,
        )
    }
  }

  async #replace(name: string, source: SnapshotSource): Promise<void> {
    await this.drop(name)
    if (this.#kept.size >= MOST) throw tooMany([...this.#kept.keys()])
    this.#kept.set(name, await openSnapshot(source, this.#unref))
  }

  /** The snapshots of a lease that was lost, or whose database was recreated. */
  async #dropOutdated({ connection }: SnapshotSource): Promise<void> {
    for (const [name, snapshot] of [...this.#kept]) {
      if (snapshot.lease !== connection) await this.#lose(name, snapshot, 'its database was created again')
    }
  }

  async #lose(name: string, snapshot: Snapshot, why: string): Promise<void> {
    this.#kept.delete(name)
    this.#lost.set(name, why)
    await close(snapshot)
  }

  /** A failed step can be tried again. Anything else ends the snapshot, and leaves the lease as it is. */
  async #explained(name: string, snapshot: Snapshot, restore: ResetSession['reset']): Promise<SessionReset> {
    try {
      return await restore()
    } catch (error) {
      const isOver = !(error instanceof AfreshError) || error.code === 'plan' || error.code === 'server'
      if (!isOver) throw error
      const [why = ''] = messageOf(error).split('\n  → ')
      await this.#lose(name, snapshot, why)
      throw this.#missing(name, error)
    }
  }

  #missing(name: string, cause?: unknown): AfreshError {
    const why = this.#lost.get(name)
    if (why !== undefined) {
      return new AfreshError(
        'reset',
        `The snapshot ${JSON.stringify(name)} is gone: ${why.replace(/\.$/, '')}.`,
        {
          next: 'Reset the database, and take the snapshot again.',
          cause,
        },
      )
    }
    const names = [...this.#kept.keys()]
    const near = nearest(name, names)
    return new AfreshError('usage', `restore: there is no snapshot ${JSON.stringify(name)}.`, {
      next:
        names.length === 0
          ? 'Take it first: snapshot(name). A snapshot ends with the lease of its database.'
          : `${near === undefined ? '' : `Is it ${near}? `}There are ${names.join(', ')}.`,
    })
  }
}

/** The methods of a test database. A transaction around the test ends before a snapshot is restored. */
export function snapshotMethods(
  snapshots: Snapshots,
  around: Pick<Rollbacks, 'settled' | 'reset'>,
): Pick<TestDatabase, 'snapshot' | 'restore' | 'dropSnapshot'> {
  return {
    async snapshot(name) {
      await around.settled('snapshot')
      await snapshots.take(name)
    },
    restore: (name) => around.reset(() => snapshots.open(name)),
    dropSnapshot: (name) => snapshots.drop(name),
  }
}

const NOT_COMPARED = { tables: new Map(), sequences: new Map() }

async function openSnapshot(source: SnapshotSource, unref: boolean): Promise<Snapshot> {
  const { engine, connection: lease, claim, costs, copyName } = source
  const connection = await connectionFor(source, unref)
  const sequences = source.options.sequences === 'keep' ? 'keep' : 'restart'
  try {
    const session = await openSession({
      engine,
      connection,
      // Ranges that were spread for the baseline stay as they are.
      options: { ...source.options, sequences },
      claim,
      isLeasedElsewhere: connection !== lease,
      costs,
      copyName,
      baseline: NOT_COMPARED,
    })
    return { lease, connection, session }
  } catch (error) {
    if (connection !== lease) await connection.close().catch(() => {})
    throw error instanceof AfreshError && error.code === 'plan' ? notRestorable(error) : error
  }
}

/** A session has one baseline, but an in-process handle of SQLite may have several. */
async function connectionFor({ engine, connection }: SnapshotSource, unref: boolean): Promise<Connection> {
  if (engine.databases === undefined || connection.url === undefined) return connection
  const own = await engine.connect(connection.url, { applicationName: 'afresh (snapshot)' })
  if (unref) own.unref?.()
  return own
}

function refuseSharedSession({ engine, connection }: SnapshotSource): void {
  if (engine.databases === undefined || (connection.owned && connection.url !== undefined)) return
  throw new AfreshError(
    'usage',
    'snapshot: a snapshot needs a session of its own, and this database is reset by your client.',
    { next: 'Attach by a URL. PGlite has one session only, and no snapshots.' },
  )
}

/** Best effort: the session may be lost already. What it kept ends with it, or is dropped with the run. */
async function close({ lease, connection, session }: Snapshot): Promise<void> {
  await session.close().catch(() => {})
  if (connection !== lease) await connection.close().catch(() => {})
}

function invalidName(name: unknown): AfreshError {
  return new AfreshError('usage', `snapshot: ${JSON.stringify(name)} is not a name.`, {
    next: "Give it any text that is not empty: snapshot('paid order').",
  })
}

function tooMany(names: readonly string[]): AfreshError {
  return new AfreshError('usage', `snapshot: there are ${MOST} already: ${names.join(', ')}.`, {
    next: 'Drop one that is no longer needed: dropSnapshot(name). Each holds a connection and a copy of all rows.',
  })
}

function notRestorable(error: AfreshError): AfreshError {
  const [why = ''] = error.message.split('\n  → ')
  return new AfreshError('usage', `snapshot: what is in the database now cannot be restored: ${why}`, {
    ...(error.next !== undefined && { next: error.next }),
    cause: error,
  })
}
