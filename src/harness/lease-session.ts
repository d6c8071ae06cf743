import { type Lease, lease as leaseDatabase } from '../database/lease.ts'
import { namesFor } from '../database/names.ts'
import type { Lock } from '../engine/claim.ts'
import type { Databases } from '../engine/databases.ts'
import type { Engine } from '../engine/engine.ts'
import { newMark } from '../engine/ownership-mark.ts'
import { AfreshError, messageOf, withUndo } from '../errors.ts'
import type { KnownCatalog } from '../reset/options.ts'
import type { Rollbacks } from '../reset/rollback.ts'
import { openSession, type ResetSession } from '../reset/session.ts'
import { now, sleep } from '../util/clock.ts'
import { settledWithin } from '../util/with-timeout.ts'
import { eraseConnectionOn } from './erase-connection.ts'
import { failureOf } from './failure.ts'
import { fingerprintOf, type HarnessHandle, isAtBaseline } from './handle.ts'
import { whileServerAnswers } from './liveness.ts'
import { openResourcesOn, wasReleased } from './open-resources.ts'
import type { TestDatabase } from './test-database.ts'

/** How long a server may take to notice a lost connection. It holds the lock until then. */
const NOTICE_MS = 3_000

/** How to lease a database again after its lease was lost, or after no reset could restore it. */
export interface ReacquiredLease {
  /** The lock of the previous lease, whose session the server may not have ended yet. */
  readonly lost?: Lock | undefined
  /** Recreate the database without checking it: its contents are not a baseline. */
  readonly mustBeNew?: boolean
}

interface LeaseInput {
  /** The slot to try first. */
  readonly first: number
  readonly again?: ReacquiredLease | undefined
  readonly made?: MadeHere | undefined
}

export interface OpenLease {
  readonly lease: Lease
  readonly session: ResetSession
}

/** What this process knows of the databases that it makes. */
export interface MadeHere {
  /** The mark of the first database, as long as nobody has leased it. */
  readonly untouched: string
  /** What the catalog of a copy contains. */
  readonly catalog: KnownCatalog
  /** See `Program`. */
  readonly findings: Map<string, string>
}

export async function openLease(
  engine: Engine,
  databases: Databases,
  handle: HarnessHandle,
  { first, again = {}, made }: LeaseInput,
): Promise<OpenLease> {
  const names = namesFor(handle.project, databases.maxNameBytes)
  const lease = await leaseDatabase({
    engine,
    databases,
    adminUrl: handle.adminUrl,
    template: handle.template,
    nameOf: (slot) => names.database(handle.run, slot),
    firstSlot: first,
    ...again,
    untouched: made?.untouched,
    isClean: (connection) => isAtBaseline(engine, connection, handle.baseline),
  })
  const { connection, claim } = lease
  const { options, template, baseline, costs } = handle
  return withUndo(
    async () => {
      const known = lease.isNew && engine.capabilities.copiesShareIds ? made?.catalog : undefined
      const findings = known && made?.findings
      const from = { claim, known, findings, template, baseline: fingerprintOf(baseline), costs }
      return { lease, session: await openSession({ engine, connection, options, ...from }) }
    },
    () => lease.release(),
  )
}

/**
 * A lost connection ends the lease and loses the captured baseline. The next reset leases again, and finds or
 * creates a database at the baseline.
 */
export async function leasedDatabase(
  engine: Engine,
  wanted: number,
  take: (slot: number, again?: ReacquiredLease) => Promise<OpenLease>,
  around: (database: string) => Rollbacks,
  unref: boolean,
): Promise<Omit<TestDatabase, 'env'>> {
  let held: Promise<OpenLease> | undefined = take(wanted)
  const { name, url, slot } = (await held).lease
  const { begin, settled, ...transaction } = around(name)
  let isReleased = false

  const current = async (): Promise<OpenLease> => {
    if (isReleased) throw wasReleased(name)
    const opened = held ?? reacquire()
    held = opened
    try {
      return await opened
    } catch (error) {
      // The next call tries again: the obstacle may be gone by then.
      if (held === opened) held = undefined
      throw error instanceof AfreshError ? error : notLeasedAgain(name, error)
    }
  }

  /** Clients have the URL of this database, so only a lease of the same one helps. */
  let again: ReacquiredLease = {}
  const reacquire = async (): Promise<OpenLease> => {
    const deadline = now() + NOTICE_MS
    for (;;) {
      const taken = await take(slot, again)
      if (taken.lease.name === name) {
        again = {}
        return taken
      }
      await taken.lease.release()
      if (now() > deadline) break
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

  const discardOnConnectionLoss = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
    const used = held
    try {
      return await whileServerAnswers(work, { engine, url, doing })
    } catch (error) {
      const isForgotten = !(error instanceof AfreshError) || error.code === 'server' || error.code === 'plan'
      if (isForgotten)
        await discard(used, { isChanged: error instanceof AfreshError && error.code === 'plan' })
      throw failureOf(error, doing)
    }
  }

  /** @param used the lease that failed; does nothing if another lease has replaced it */
  const discard = async (
    used: Promise<OpenLease> | undefined,
    { isChanged }: { readonly isChanged: boolean },
  ): Promise<void> => {
    if (used === undefined || held !== used) return
    held = undefined
    const letGo = async () => {
      const last = await used
      again = { lost: last.lease.claim.lease, mustBeNew: isChanged }
      // The slot is leased again at once: do not wait until the server notices the lost session.
      await last.lease.release()
    }
    await settledWithin(letGo(), NOTICE_MS)
  }

  const reset = () =>
    discardOnConnectionLoss('a reset was under way', () =>
      transaction.reset(async () => (await current()).session),
    )

  const eraseConnection = eraseConnectionOn(
    async () => {
      await settled()
      const { session, lease } = await current()
      return { engine, connection: lease.connection, session, claim: lease.claim }
    },
    { unref },
  )

  const release = async (): Promise<void> => {
    if (isReleased) return
    isReleased = true
    await transaction.abandon()
    await eraseConnection.close()
    // Best effort: the next lease checks the database, and recreates it if necessary.
    const last = await held?.catch(() => undefined)
    if (last === undefined) return
    const giveBack = async () => {
      await last.session.reset().catch(() => markUnfinished(engine, last))
      await last.session.close()
    }
    await whileServerAnswers(giveBack, { engine, url, doing: 'the database was given back' }).catch(() => {})
    await settledWithin(last.lease.release(), NOTICE_MS)
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
        const report = await reset()
        return { ...report, notes: [recreatedNote(error), ...report.notes], recreated: true }
      }
    },
    verify: () =>
      discardOnConnectionLoss('it was compared with its baseline', async () =>
        (await current()).session.verify(),
      ),
    erase: eraseConnection.erase,
    purge: eraseConnection.purge,
    openResources: () =>
      discardOnConnectionLoss('its sessions were looked at', async () =>
        openResourcesOn(engine, (await current()).lease.connection).openResources(),
      ),
    endOpenResources: (found) =>
      discardOnConnectionLoss('its sessions were looked at', async () =>
        openResourcesOn(engine, (await current()).lease.connection).endOpenResources(found),
      ),
    release,
    [Symbol.asyncDispose]: release,
  }
}

/** The next worker that leases a database marked as unfinished recreates it. */
async function markUnfinished({ ownership }: Engine, { lease: { connection } }: OpenLease): Promise<void> {
  await ownership.write(connection, newMark(await ownership.expected(connection), 'unfinished'))
}

function notLeasedAgain(name: string, cause: unknown): AfreshError {
  return new AfreshError('server', `The database "${name}" could not be leased again: ${messageOf(cause)}.`, {
    next: 'The next reset tries again; see whether the server is up and has a connection to spare.',
    cause,
  })
}

function recreatedNote({ cause, message }: AfreshError): string {
  const [what = ''] = (cause instanceof Error ? cause.message : message).split('\n')
  return `A reset could not bring the database back (${what.replace(/\.$/, '')}): it was made again from its template.`
}
