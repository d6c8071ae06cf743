import type { Connection, Databases, Engine } from '../engine/engine.ts'
import { AfreshError, withCleanUp, withUndo } from '../errors.ts'
import { isTemporary, newMark } from './mark.ts'
import { dropJustMade } from './scratch.ts'

/** Where test databases are made from. */
export interface Source {
  readonly engine: Engine
  readonly databases: Databases
  readonly adminUrl: string
  readonly template: string
  /** See `CloneOptions`. */
  readonly programs?: boolean
}

export interface LeaseWanted extends Source {
  /** The name of the database in a slot. */
  readonly nameOf: (slot: number) => string
  /** Where to look first; a hint, since two workers may believe that they are the same one. */
  readonly firstSlot: number
  /** Whether a database that was used before still is at the baseline. */
  readonly isClean: (connection: Connection) => Promise<boolean>
}

/** A test database of one's own, for as long as the connection lives: the lock on it is the lease. */
export interface Lease {
  readonly slot: number
  readonly name: string
  readonly url: string
  readonly mark: string
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
      if (await databases.isLocked(admin, leaseKey(name))) return undefined
      const found = (await databases.list(admin)).find((entry) => entry.name === name)
      if (found === undefined) return makeDatabase(wanted, admin, name)
      if (found.mark === undefined) return undefined
      const reused = isTemporary(found.mark) ? undefined : await reuse(wanted, name, found.mark)
      return reused ?? remake(wanted, admin, name, found.mark)
    },
    () => databases.unlock(admin, key),
  )
}

/** A copy of the template, marked and leased. */
export async function makeDatabase(source: Source, admin: Connection, name: string): Promise<Held> {
  const { engine, databases, adminUrl, template, programs = true } = source
  let written: string | undefined
  const writeMark = async (inside: Connection, { temporary }: { readonly temporary: boolean }) => {
    const mark = newMark(await engine.ownership.expected(inside), { temporary })
    await engine.ownership.write(inside, mark)
    written = mark
    return mark
  }
  await databases.clone(admin, template, name, {
    programs,
    // Until it is complete: enough for the reaper, and nobody takes it for a copy.
    onCreated: async (inside) => void (await writeMark(inside, { temporary: true })),
  })
  const url = databases.urlOf(adminUrl, name)
  return withUndo(
    async () => {
      const connection = await engine.connect(url)
      return withUndo(
        async () => {
          const mark = await writeMark(connection, { temporary: false })
          await databases.tryLock(connection, leaseKey(name))
          return { name, url, mark, connection }
        },
        () => connection.close(),
      )
    },
    () => (written === undefined ? dropJustMade(admin, name) : databases.drop(admin, name, written)),
  )
}

/** A database that somebody used before, if it still is at the baseline. */
async function reuse(wanted: LeaseWanted, name: string, mark: string): Promise<Held | undefined> {
  const { engine, databases, adminUrl, isClean } = wanted
  const url = databases.urlOf(adminUrl, name)
  const connection = await engine.connect(url)
  const isUsable = await withUndo(
    async () => {
      if (!(await databases.tryLock(connection, leaseKey(name)))) return false
      await endBusy(engine, connection)
      if (await isClean(connection).catch(notIfBlocked)) return true
      // It is made again at once, and leased by another connection.
      await databases.unlock(connection, leaseKey(name))
      return false
    },
    () => connection.close(),
  )
  if (isUsable) return { name, url, mark, connection }
  await connection.close()
  return undefined
}

/** A worker that was killed leaves a statement that the server goes on with, and what it writes nobody sees yet. */
async function endBusy({ holds }: Engine, connection: Connection): Promise<void> {
  const busy = ((await holds?.find(connection)) ?? []).flatMap(({ session }) => session ?? [])
  if (busy.length > 0) await holds?.end(connection, [...new Set(busy)])
}

/** Whoever is in the way of a look goes when the database is made again. */
function notIfBlocked(error: unknown): false {
  if (error instanceof AfreshError && error.code === 'blocked') return false
  throw error
}

async function remake(wanted: LeaseWanted, admin: Connection, name: string, mark: string): Promise<Held> {
  await wanted.databases.drop(admin, name, mark)
  return makeDatabase(wanted, admin, name)
}
