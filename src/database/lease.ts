import type { Claim, Lock } from '../engine/claim.ts'
import type { Connection, Names } from '../engine/connection.ts'
import type { Databases } from '../engine/databases.ts'
import type { Engine } from '../engine/engine.ts'
import { isMade, kindOf, newMark } from '../engine/ownership-mark.ts'
import { AfreshError, withCleanUp, withUndo } from '../errors.ts'
import { now, sleep } from '../util/clock.ts'

/** Where test databases are made from. */
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
}

export interface LeaseWanted extends Source {
  /** The name of the database in a slot. */
  readonly nameOf: (slot: number) => string
  /** Where to look first; a hint, since two workers may believe that they are the same one. */
  readonly firstSlot: number
  /** The lock of a lease that was lost: the session that holds it is the wanting worker's own, and may be ended. */
  readonly lost?: Lock | undefined
  /** What is in a database that was used before is no baseline: it is made again, unseen. */
  readonly mustBeNew?: boolean | undefined
  /** Whether a database that was used before still is at the baseline. */
  readonly isClean: (connection: Connection) => Promise<boolean>
}

/** A test database of one's own, for as long as the connection lives: the lock on it is the lease. */
export interface Lease {
  readonly slot: number
  readonly name: string
  readonly url: string
  /** What every statement that deletes has to prove. */
  readonly claim: Claim
  readonly connection: Connection
  /** Closes the connection, having unlocked first: a server may take its time to notice that somebody has gone. */
  release(): Promise<void>
}

type Held = Omit<Lease, 'slot' | 'release'>

const MAX_SLOTS = 1000

/**
 * Leases the first slot that is free, making its database where there is none. The lock on the server decides,
 * so a worker that was killed frees its slot at once; what it left in the database is thrown away.
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

/** The lock that says that somebody has the database. */
export function leaseKey(name: string): string {
  return `lease:${name}`
}

/** The lock of who looks after the slot, until there is a lease. */
export function slotKey(name: string): string {
  return `slot:${name}`
}

/** Whoever holds the slot's lock decides alone whether its database is used, made, or made again. */
async function leaseSlot(wanted: LeaseWanted, admin: Connection, name: string): Promise<Held | undefined> {
  const { databases } = wanted
  const key = slotKey(name)
  if (!(await databases.tryLock(admin, key))) return undefined
  return withCleanUp(
    async () => {
      if (await isTaken(wanted, admin, leaseKey(name))) return undefined
      const found = (await databases.list(admin)).find((entry) => entry.name === name)
      if (found === undefined) return makeDatabase(wanted, admin, name)
      if (found.mark === undefined || !isMade(found.mark)) return undefined
      const isUsable = kindOf(found.mark) === 'made' && wanted.mustBeNew !== true
      const reused = isUsable ? await reuse(wanted, name) : undefined
      return reused ?? remake(wanted, admin, name)
    },
    () => databases.unlock(admin, key),
  )
}

/** How long a server may take to end a session. */
const END_MS = 5_000

/** Whether another worker has the lease. */
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

/** A copy of the template, marked and leased. */
export async function makeDatabase(source: Source, admin: Connection, name: string): Promise<Held> {
  const { engine, databases, adminUrl, template, programs = true, leftOut, names = 'server' } = source
  const mark = await databases.clone(admin, template, name, {
    programs,
    ...(leftOut && { leftOut }),
  })
  const url = databases.urlOf(adminUrl, name)
  return withUndo(
    async () => {
      const connection = await engine.connect(url, { names })
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

/** A database that another lease used before, if it still is at the baseline. */
async function reuse(wanted: LeaseWanted, name: string): Promise<Held | undefined> {
  const { engine, databases, adminUrl, isClean } = wanted
  const url = databases.urlOf(adminUrl, name)
  const key = leaseKey(name)
  const connection = await engine.connect(url)
  const claim = await withUndo(
    async (): Promise<Claim | undefined> => {
      if (!(await databases.tryLock(connection, key))) return undefined
      // From here on the lease before proves nothing any more: its session may be gone without its process knowing.
      const fresh = newMark(await engine.ownership.expected(connection), 'made')
      const mark = await engine.ownership.write(connection, fresh)
      await endBusy(engine, connection)
      if (await isClean(connection).catch(notIfBlocked)) {
        return { mark, lease: { key, session: await databases.sessionOf(connection) } }
      }
      // It is made again at once, and leased by another connection.
      await databases.unlock(connection, key)
      return undefined
    },
    () => connection.close(),
  )
  if (claim !== undefined) return { name, url, claim, connection }
  await connection.close()
  return undefined
}

/** A worker that was killed leaves a statement that the server goes on with, and what it writes nobody sees yet. */
async function endBusy({ openResources: holds }: Engine, connection: Connection): Promise<void> {
  const busy = ((await holds?.find(connection)) ?? []).flatMap(({ session }) => session ?? [])
  if (busy.length > 0) await holds?.end(connection, [...new Set(busy)])
}

/** Whoever is in the way of a look goes when the database is made again. */
function notIfBlocked(error: unknown): false {
  if (error instanceof AfreshError && error.code === 'blocked') return false
  throw error
}

async function remake(wanted: LeaseWanted, admin: Connection, name: string): Promise<Held> {
  const { databases } = wanted
  const found = (await databases.list(admin)).find((entry) => entry.name === name)
  if (found?.mark !== undefined) await databases.drop(admin, name, found.mark)
  return makeDatabase(wanted, admin, name)
}
