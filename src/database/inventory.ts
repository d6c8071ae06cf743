/**
 * In: a server. Out: the databases on it that afresh made, who uses them, and which of them `clean` may drop.
 * Changes nothing.
 */
import type { Connection } from '../engine/connection.ts'
import type { DatabaseEntry, Databases } from '../engine/databases.ts'
import { leaseOrigin } from '../engine/lock-holder.ts'
import { isMade } from '../engine/ownership-mark.ts'
import { isKeptInUse } from './kept.ts'
import { leaseKey } from './lease.ts'
import { isTemplateName, keptAgeMs, runAgeMs, runOf } from './names.ts'
import { livingRuns } from './reaper.ts'
import { templateKey } from './template.ts'

export interface OwnDatabase {
  readonly name: string
  /** `template`: kept for the next run. `database`: of a run. `kept`: a copy of the database of a test. */
  readonly kind: 'template' | 'database' | 'kept'
  /** Bytes; `undefined` if the role may not know. */
  readonly bytes: number | undefined
  /** Milliseconds since its run began, or since it was copied; `undefined` for a template. */
  readonly ageMs: number | undefined
  readonly lease: DatabaseLease | undefined
  readonly isRemovable: boolean
  /** Why `clean` drops it, or does not. */
  readonly reason: string
}

export interface DatabaseLease {
  /** The server's id of the session that holds the lease. */
  readonly session: number
  /** User and address. */
  readonly client: string
  /** The id of the process that leased it, on its machine; `undefined` if the server does not show it. */
  readonly process: number | undefined
  /** Milliseconds since the lease began; `undefined` if the server does not show it. */
  readonly ageMs: number | undefined
}

/** In the order in which they were made. Omits adopted databases: afresh did not make them. */
export async function ownDatabases(databases: Databases, admin: Connection): Promise<OwnDatabase[]> {
  const entries = (await databases.list(admin)).filter(({ mark }) => mark !== undefined && isMade(mark))
  const living = await livingRuns(databases, admin, entries)
  const sizes = await databases.sizes(
    admin,
    entries.map(({ name }) => name),
  )
  const found: OwnDatabase[] = []
  for (const entry of entries) {
    const state = await stateOf(databases, admin, entry, living)
    if (state !== undefined) found.push({ name: entry.name, bytes: sizes.get(entry.name), ...state })
  }
  return found
}

/** `undefined` for a name that afresh does not give: a marked database that was renamed. */
async function stateOf(
  databases: Databases,
  admin: Connection,
  { name, frozen }: DatabaseEntry,
  living: ReadonlySet<string>,
): Promise<Omit<OwnDatabase, 'name' | 'bytes'> | undefined> {
  const run = runOf(name)
  if (run !== undefined) {
    const lease = await leaseOf(databases, admin, name)
    const isLiving = living.has(run)
    const reason = !isLiving ? 'its run has ended' : lease === undefined ? 'its run is active' : 'leased'
    return { kind: 'database', ageMs: runAgeMs(run), lease, isRemovable: !isLiving, reason }
  }
  const keptMs = keptAgeMs(name)
  if (keptMs !== undefined) {
    const isInUse = await isKeptInUse(databases, admin, name)
    const reason = isInUse ? 'a session has it open' : 'a copy of the database of a test'
    return { kind: 'kept', ageMs: keptMs, lease: undefined, isRemovable: !isInUse, reason }
  }
  if (!isTemplateName(name)) return undefined
  const isLocked = await databases.isLocked(admin, templateKey(name))
  const isRemovable = living.size === 0 && !isLocked
  const reason = isLocked
    ? 'a run builds or copies it'
    : living.size > 0
      ? 'an active run may use it'
      : frozen
        ? 'no run uses it; the next one builds it again'
        : 'its build was killed'
  return { kind: 'template', ageMs: undefined, lease: undefined, isRemovable, reason }
}

async function leaseOf(
  databases: Databases,
  admin: Connection,
  name: string,
): Promise<DatabaseLease | undefined> {
  const holder = await databases.holder(admin, leaseKey(name))
  if (holder === undefined) return undefined
  const { session, client, application } = holder
  const origin = leaseOrigin(application)
  return { session, client, process: origin?.process, ageMs: origin?.ageMs }
}
