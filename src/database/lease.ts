import type { Claim, Lock } from '../engine/claim.ts'
import type { Connection, Names } from '../engine/connection.ts'
import type { Databases } from '../engine/databases.ts'
import type { Engine } from '../engine/engine.ts'
import { leaseApplication } from '../engine/lock-holder.ts'
import { isMade, isMarkOf, kindOf, newMark } from '../engine/ownership-mark.ts'
import { AfreshError, RefusedError, withCleanUp, withUndo } from '../errors.ts'
import { now, sleep } from '../util/clock.ts'
import type { Progress } from '../util/progress.ts'

/** The template that test databases are copied from. */
export interface Source {
  readonly engine: Engine
  readonly databases: Databases
  readonly adminUrl: string
  readonly template: string
  /** See `CloneOptions`. */
  readonly programs?: boolean
  readonly leftOut?: (what: string) => void
  /** See `ConnectOptions`. */
  readonly names?: Names
  readonly progress?: Progress | undefined
}

export interface LeaseWanted extends Source {
  readonly nameOf: (slot: number) => string
  /** The slot to try first; only a hint, because two workers may have the same number. */
  readonly firstSlot: number
  /** The lock of a lost lease: its session is this worker's own, and may be ended. */
  readonly lost?: Lock | undefined
  /** Recreates a database that was used before, without checking whether it is clean. */
  readonly mustBeNew?: boolean | undefined
  /** The mark of a database that was made for this run and not leased since: it is at its baseline. */
  readonly untouched?: string | undefined
  /** Whether a database that was used before is still at its baseline. */
  readonly isClean: (connection: Connection) => Promise<boolean>
}

/** Exclusive use of a test database while the connection is open: the connection's lock is the lease. */
export interface Lease {
  readonly slot: number
  readonly name: string
  readonly url: string
  /** What every statement that deletes has to prove. */
  readonly claim: Claim
  readonly connection: Connection
  /** Whether it was made for this lease, or never leased before. */
  readonly isNew: boolean
  /** Unlocks, then closes the connection: a server may notice late that a client has disconnected. */
  release(): Promise<void>
}

type Held = Omit<Lease, 'slot' | 'release' | 'isNew'>

const MAX_SLOTS = 1000

/**
 * Leases the first free slot, and creates its database if there is none. The lock on the server decides, so a
 * killed worker frees its slot at once; what it left in the database is discarded.
 */
export async function lease(wanted: LeaseWanted): Promise<Lease> {
  const admin = await wanted.engine.connect(wanted.adminUrl)
  return withCleanUp(
    async () => {
      for (let i = 0; i < MAX_SLOTS; i++) {
        const slot = ((wanted.firstSlot - 1 + i) % MAX_SLOTS) + 1
        const leased = await leaseSlot(wanted, admin, wanted.nameOf(slot))
        if (leased !== undefined) return { ...leased, slot, release: () => release(wanted, leased) }
      }
      throw new AfreshError('server', `All ${MAX_SLOTS} test databases of this run are leased.`, {
        next: 'Release databases that are not needed any more.',
      })
    },
    () => admin.close(),
  )
}

function release({ databases }: Source, { connection, name }: Held): Promise<void> {
  return withCleanUp(
    () => databases.unlock(connection, leaseKey(name)),
    () => connection.close(),
  )
}

/** Key of the lock that a lease holds. */
export function leaseKey(name: string): string {
  return `lease:${name}`
}

/** Key of the lock that a worker holds while it prepares a slot's database, until there is a lease. */
export function slotKey(name: string): string {
  return `slot:${name}`
}

/** The holder of the slot's lock alone decides whether its database is reused, created, or recreated. */
async function leaseSlot(
  wanted: LeaseWanted,
  admin: Connection,
  name: string,
): Promise<Omit<Lease, 'slot' | 'release'> | undefined> {
  const { databases } = wanted
  const key = slotKey(name)
  if (!(await databases.tryLock(admin, key))) return undefined
  return withCleanUp(
    async () => {
      if (await isTaken(wanted, admin, leaseKey(name))) return undefined
      const found = (await databases.list(admin)).find((entry) => entry.name === name)
      if (found === undefined) return { ...(await makeDatabase(wanted, admin, name)), isNew: true }
      if (found.mark === undefined || !isMade(found.mark)) return undefined
      const isUsable = kindOf(found.mark) === 'made' && wanted.mustBeNew !== true
      const isNew = found.mark === wanted.untouched
      const reused = isUsable ? await reuse(wanted, name, found.mark, isNew) : undefined
      return reused === undefined
        ? { ...(await remake(wanted, admin, name)), isNew: true }
        : { ...reused, isNew }
    },
    () => databases.unlock(admin, key),
  )
}

/** Milliseconds that a server may take to end a session. */
const END_MS = 5_000

/** Whether another worker has the lease. Ends the session of this worker's own lost lease. */
async function isTaken({ databases, lost }: LeaseWanted, admin: Connection, key: string): Promise<boolean> {
  if (!(await databases.isLocked(admin, key))) return false
  if (lost?.key !== key) return true
  await databases.endHolder(admin, lost)
  const deadline = now() + END_MS
  while (await databases.isLocked(admin, key)) {
    if (now() > deadline) return true
    await sleep(20)
  }
  return false
}

export async function makeDatabase(source: Source, admin: Connection, name: string): Promise<Held> {
  const { engine, databases, adminUrl, template, programs = true, leftOut, names = 'server' } = source
  source.progress?.({ phase: 'copy' })
  const mark = await databases.clone(admin, template, name, {
    programs,
    ...(leftOut && { leftOut }),
  })
  const url = databases.urlOf(adminUrl, name)
  return withUndo(
    async () => {
      const connection = await engine.connect(url, { names, applicationName: leaseApplication(process.pid) })
      return withUndo(
        async () => {
          const key = leaseKey(name)
          await databases.tryLock(connection, key)
          const session = await databases.sessionOf(connection)
          return { name, url, claim: { mark, lease: { key, session } }, connection }
        },
        () => connection.close(),
      )
    },
    () => databases.drop(admin, name, mark),
  )
}

/** Leases a database that was used before, if it is still at its baseline. */
async function reuse(
  wanted: LeaseWanted,
  name: string,
  found: string,
  isNew: boolean,
): Promise<Held | undefined> {
  const { engine, databases, adminUrl, isClean } = wanted
  const url = databases.urlOf(adminUrl, name)
  const key = leaseKey(name)
  const connection = await engine.connect(url, { applicationName: leaseApplication(process.pid) })
  const claim = await withUndo(
    async (): Promise<Claim | undefined> => {
      if (!(await databases.tryLock(connection, key))) return undefined
      // Invalidates the previous lease: its session may be lost without its process knowing.
      const identity = await engine.ownership.expected(connection)
      if (!isMarkOf(found, identity)) throw notOurs(name)
      const fresh = newMark(identity, 'made')
      const mark = await engine.ownership.write(connection, fresh)
      await endBusy(engine, connection)
      if (isNew || (await isClean(connection).catch(notIfItFails))) {
        return { mark, lease: { key, session: await databases.sessionOf(connection) } }
      }
      // The caller recreates the database, and leases it on another connection.
      await databases.unlock(connection, key)
      return undefined
    },
    () => connection.close(),
  )
  if (claim !== undefined) return { name, url, claim, connection }
  await connection.close()
  return undefined
}

/** A copy, a restored dump, or a connection that leads to another server than before. */
function notOurs(name: string): RefusedError {
  return new RefusedError(
    `The database "${name}" carries a mark that was made for another one, or on another server.`,
    {
      next: 'It was not changed. See where the connection leads, and drop the database manually if it is no longer needed.',
    },
  )
}

/** The server continues a statement of a killed worker, whose writes are not visible yet. */
async function endBusy({ openResources: holds }: Engine, connection: Connection): Promise<void> {
  const busy = ((await holds?.find(connection)) ?? []).flatMap(({ session }) => session ?? [])
  if (busy.length > 0) await holds?.end(connection, [...new Set(busy)])
}

/** Recreating the database ends the sessions that block the check, and replaces a table that cannot be read. */
function notIfItFails(error: unknown): false {
  if (error instanceof RefusedError) throw error
  return false
}

async function remake(wanted: LeaseWanted, admin: Connection, name: string): Promise<Held> {
  const { databases } = wanted
  const found = (await databases.list(admin)).find((entry) => entry.name === name)
  if (found?.mark !== undefined) await databases.drop(admin, name, found.mark)
  return makeDatabase(wanted, admin, name)
}
