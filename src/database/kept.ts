/** In: a test database. Out: a copy of it that stays after the run, in place of the oldest ones. */
import type { Connection } from '../engine/connection.ts'
import type { DatabaseEntry, DatabaseInUse, Databases } from '../engine/databases.ts'
import { isMade, kindOf } from '../engine/ownership-mark.ts'
import { withCleanUp } from '../errors.ts'
import { isKeptOf, keptAgeMs, type Names } from './names.ts'

/** Key of the lock that a session holds while it makes the copy. */
function copyKey(name: string): string {
  return `copy:${name}`
}

/**
 * Copies the database, and drops the oldest copies of the project.
 *
 * @param most the number of copies that stay, the new one included
 * @returns the name of the copy
 */
export async function keepDatabase(
  databases: Databases,
  admin: Connection,
  source: DatabaseInUse,
  { names, most }: { readonly names: Names; readonly most: number },
): Promise<string> {
  const name = names.kept()
  await databases.tryLock(admin, copyKey(name))
  return withCleanUp(
    async () => {
      await databases.cloneInUse(admin, source, name)
      await dropKept(databases, admin, { isWanted: (found) => isKeptOf(found, names), most })
      return name
    },
    () => databases.unlock(admin, copyKey(name)),
  )
}

/**
 * Drops kept copies, except the `most` newest, those that another session has open, and those that other workers are
 * making.
 *
 * @returns the names of those that are gone
 */
export async function dropKept(
  databases: Databases,
  admin: Connection,
  { isWanted, most }: { isWanted(name: string): boolean; readonly most: number },
): Promise<string[]> {
  const found = (await databases.list(admin)).filter(({ name }) => isWanted(name))
  const complete = found.filter((entry) => !isUnfinished(entry))
  const oldest = complete.toSorted((a, b) => (keptAgeMs(a.name) ?? 0) - (keptAgeMs(b.name) ?? 0)).slice(most)
  const dropped: string[] = []
  for (const { name, mark } of [...oldest, ...found.filter(isUnfinished)]) {
    if (mark === undefined || !isMade(mark)) continue
    if (await isKeptInUse(databases, admin, name)) continue
    // Another worker may drop the same copy; the next one that is kept tries again.
    await databases.drop(admin, name, mark).then(
      () => dropped.push(name),
      () => {},
    )
  }
  return dropped
}

/** Whether a worker is making the copy, or another session has it open. */
export async function isKeptInUse(databases: Databases, admin: Connection, name: string): Promise<boolean> {
  if (await databases.isLocked(admin, copyKey(name))) return true
  return (await databases.sessions(admin, name, { ofUser: true })).length > 0
}

/** What a worker is making, or was when it was killed. */
function isUnfinished({ mark }: DatabaseEntry): boolean {
  return mark !== undefined && kindOf(mark) === 'unfinished'
}
