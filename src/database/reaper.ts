import type { Connection } from '../engine/connection.ts'
import type { DatabaseEntry, Databases } from '../engine/databases.ts'
import { isMade } from '../engine/ownership-mark.ts'
import { AfreshError, messageOf, withCleanUp } from '../errors.ts'
import { leaseKey, slotKey } from './lease.ts'
import { isTemplateName, isTemplateOf, type Names, runOf } from './names.ts'
import { templateKey } from './template.ts'

/** Number of templates that a project keeps, for switching between branches. */
const TEMPLATES_KEPT = 5

/** Key of the lock that a run holds until it ends. */
export function runKey(run: string): string {
  return `run:${run}`
}

/**
 * Drops what killed runs left: unfinished databases, and marked databases of runs without a held lock,
 * neither of the run nor of a slot or lease. The run's lock alone is not enough: an idle connection may be
 * lost overnight, and is opened again. A database without a valid mark stays, whatever its name.
 *
 * @param options `only`: drops no database but these
 * @returns what could not be dropped (for example because of a prepared transaction), as text for people: it
 *   does not block the run
 */
export async function reap(
  databases: Databases,
  admin: Connection,
  { only }: { readonly only?: ReadonlySet<string> } = {},
): Promise<string[]> {
  const problems = (await databases.dropUnfinished?.(admin)) ?? []
  const entries = await databases.list(admin)
  const living = await livingRuns(databases, admin, entries)
  for (const { name, mark } of entries) {
    const run = runOf(name)
    if (mark === undefined || !isMade(mark) || run === undefined || living.has(run)) continue
    if (only?.has(name) === false) continue
    try {
      await databases.drop(admin, name, mark)
    } catch (error) {
      problems.push(`${name}, left by a run that was killed, could not be dropped: ${messageOf(error)}`)
    }
  }
  return problems
}

/** The runs of which a session holds the lock of the run, of a slot or of a lease. */
export async function livingRuns(
  databases: Databases,
  admin: Connection,
  entries: readonly DatabaseEntry[],
): Promise<Set<string>> {
  const living = new Set<string>()
  for (const { name } of entries) {
    const run = runOf(name)
    if (run === undefined || living.has(run)) continue
    const keys = [runKey(run), leaseKey(name), slotKey(name)]
    for (const key of keys) if (await databases.isLocked(admin, key)) living.add(run)
  }
  return living
}

/**
 * Drops the oldest templates of the project beyond `TEMPLATES_KEPT`, except those in use. Drops none while
 * another run is active, which may use any of them.
 *
 * @returns what could not be dropped, as text for people: a run has its own template in any case
 */
export async function reapTemplates(
  databases: Databases,
  admin: Connection,
  { names, run, used }: { readonly names: Names; readonly run: string; readonly used: ReadonlySet<string> },
): Promise<string[]> {
  /** None while other runs are active. */
  const findOld = async () => {
    const entries = await databases.list(admin)
    const others = new Set(entries.flatMap(({ name }) => runOf(name) ?? []))
    others.delete(run)
    for (const other of others) if (await databases.isLocked(admin, runKey(other))) return []
    const all = entries.filter(({ name, frozen }) => frozen && isTemplateOf(name, names))
    return all.filter(({ name }) => !used.has(name)).slice(0, Math.max(0, all.length - TEMPLATES_KEPT))
  }
  return dropTemplates(databases, admin, findOld)
}

/**
 * Drops these templates, whatever their project. Drops none while a run is active.
 *
 * @returns what could not be dropped, as text for people
 */
export async function dropUnusedTemplates(
  databases: Databases,
  admin: Connection,
  names: ReadonlySet<string>,
): Promise<string[]> {
  return dropTemplates(databases, admin, async () => {
    const entries = await databases.list(admin)
    if ((await livingRuns(databases, admin, entries)).size > 0) return []
    return entries.filter(({ name }) => names.has(name) && isTemplateName(name))
  })
}

async function dropTemplates(
  databases: Databases,
  admin: Connection,
  findOld: () => Promise<readonly DatabaseEntry[]>,
): Promise<string[]> {
  const problems: string[] = []
  for (const { name } of await findOld()) {
    const key = templateKey(name)
    // A run that uses the template holds the lock until it has a database, which shows the run from then on.
    if (!(await databases.tryLock(admin, key, { everywhere: true }))) continue
    const failures = await withCleanUp(
      async () =>
        dropAll(
          databases,
          admin,
          (await findOld()).filter((entry) => entry.name === name),
        ),
      () => databases.unlock(admin, key),
    )
    problems.push(
      ...failures.map((error) => `A template that is old could not be dropped: ${messageOf(error)}`),
    )
  }
  return problems
}

/** Drops every database of the run, including a template of its own. */
export async function dropRun(databases: Databases, admin: Connection, run: string): Promise<void> {
  const entries = (await databases.list(admin)).filter(({ name }) => runOf(name) === run)
  const failures = await dropAll(databases, admin, entries)
  if (failures.length === 0) return
  throw new AfreshError('server', `These could not be dropped: ${failures.map(messageOf).join('; ')}`, {
    next: 'Drop them manually once they are no longer needed; the next run tries again.',
    cause: failures[0],
  })
}

/** Continues after a failure, and returns all failures. */
async function dropAll(
  databases: Databases,
  admin: Connection,
  entries: readonly DatabaseEntry[],
): Promise<unknown[]> {
  const failures: unknown[] = []
  for (const { name, mark } of entries) {
    if (mark === undefined || !isMade(mark)) continue
    try {
      await databases.drop(admin, name, mark)
    } catch (error) {
      failures.push(error)
    }
  }
  return failures
}
