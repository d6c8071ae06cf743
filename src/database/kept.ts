/** In: a test database. Out: a copy of it that stays after the run, in place of the oldest ones. */
import type { Connection } from '../engine/connection.ts'
import type { DatabaseInUse, Databases } from '../engine/databases.ts'
import { isMade } from '../engine/ownership-mark.ts'
import { isKeptOf, keptAgeMs, type Names } from './names.ts'

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
  await databases.cloneInUse(admin, source, name)
  await dropKept(databases, admin, { isWanted: (found) => isKeptOf(found, names), most })
  return name
}

/**
 * Drops kept copies, except the `most` newest, and those that somebody is looking at.
 *
 * @returns the names of those that are gone
 */
export async function dropKept(
  databases: Databases,
  admin: Connection,
  { isWanted, most }: { isWanted(name: string): boolean; readonly most: number },
): Promise<string[]> {
  const found = (await databases.list(admin)).filter(({ name }) => isWanted(name))
  const oldest = found.toSorted((a, b) => (keptAgeMs(a.name) ?? 0) - (keptAgeMs(b.name) ?? 0)).slice(most)
  const dropped: string[] = []
  for (const { name, mark } of oldest) {
    if (mark === undefined || !isMade(mark)) continue
    if ((await databases.sessions(admin, name)).length > 0) continue
    // Another worker may drop the same copy; the next one that is kept tries again.
    await databases.drop(admin, name, mark).then(
      () => dropped.push(name),
      () => {},
    )
  }
  return dropped
}
