import type { Connection, DatabaseEntry, Databases } from '../engine/engine.ts'
import { messageOf } from '../errors.ts'
import { leaseKey } from './lease.ts'
import { isTemplateOf, type Names, runOf } from './names.ts'

/** Templates of one project that are kept for switching between branches. */
const TEMPLATES_KEPT = 5

/** The lock that says that a run goes on. */
export function runKey(run: string): string {
  return `run:${run}`
}

/**
 * Drops what killed runs left: marked databases whose run has ended and whose lease nobody holds. Anything
 * without a valid mark stays, whatever its name.
 *
 * @returns what could not be dropped (a transaction that was prepared in it holds a database, say), for people: it
 * is in nobody's way
 */
export async function reap(databases: Databases, admin: Connection): Promise<string[]> {
  const problems: string[] = []
  for (const { name, mark } of await databases.list(admin)) {
    const run = runOf(name)
    if (mark === undefined || run === undefined) continue
    if (await databases.isLocked(admin, runKey(run))) continue
    if (await databases.isLocked(admin, leaseKey(name))) continue
    try {
      await databases.drop(admin, name, mark)
    } catch (error) {
      problems.push(`${name}, left by a run that was killed, could not be dropped: ${messageOf(error)}`)
    }
  }
  return problems
}

/** Drops the oldest templates of the project, but for the one in use. */
export async function reapTemplates(
  databases: Databases,
  admin: Connection,
  names: Names,
  current: string,
): Promise<void> {
  const old = (await databases.list(admin)).filter(
    (entry) => entry.frozen && entry.name !== current && isTemplateOf(entry.name, names),
  )
  await dropAll(databases, admin, old.slice(0, Math.max(0, old.length - TEMPLATES_KEPT + 1)))
}

/** Drops every database of the run. */
export async function dropRun(databases: Databases, admin: Connection, run: string): Promise<void> {
  await dropAll(
    databases,
    admin,
    (await databases.list(admin)).filter(({ name }) => runOf(name) === run),
  )
}

export async function dropTemplate(databases: Databases, admin: Connection, template: string): Promise<void> {
  await dropAll(
    databases,
    admin,
    (await databases.list(admin)).filter(({ name }) => name === template),
  )
}

async function dropAll(
  databases: Databases,
  admin: Connection,
  entries: readonly DatabaseEntry[],
): Promise<void> {
  for (const { name, mark } of entries) {
    if (mark !== undefined) await databases.drop(admin, name, mark)
  }
}
