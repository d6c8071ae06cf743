/**
 * In: a server and how a database is filled.
 * Out: a template that is built once, by the process that asks first.
 * Called by `harness/prepare-baseline.ts`.
 */
import type { Connection } from '../engine/connection.ts'
import type { Databases } from '../engine/databases.ts'
import type { Engine } from '../engine/engine.ts'
import { AfreshError, withCleanUp, withUndo } from '../errors.ts'
import { now, sleep } from '../util/clock.ts'
import type { Progress } from '../util/progress.ts'

export interface TemplateWanted {
  readonly engine: Engine
  readonly databases: Databases
  /** A connection to the server, not to the template. */
  readonly admin: Connection
  readonly adminUrl: string
  readonly name: string
  /**
   * Templates with which this one begins, the best first; asked only if the template has to be built. It is made
   * from the first one that is complete.
   */
  readonly bases?: () => Promise<readonly TemplateBase[]>
  /** Whether the base may become this template, since nobody else needs it. */
  readonly mayRenameBase?: boolean
  /** Fills the new database, which is empty or a copy of `base`; if it fails, no template remains. */
  readonly fill: (connection: Connection, base: TemplateBase | undefined) => Promise<void>
  readonly progress: Progress
}

/** A template without fixtures, and with the first migrations. */
export interface TemplateBase {
  readonly name: string
  /** Number of its migration files. */
  readonly files: number
}

export interface FoundTemplate {
  readonly mark: string
  /** Whether it was built just now. */
  readonly isNew: boolean
}

/** Milliseconds to wait for another run that builds the same template. */
const BUILD_TIMEOUT_MS = 600_000

/**
 * Key of the lock that a run holds while it builds a template or takes its first copy: until then nothing
 * else shows that the run needs it.
 */
export function templateKey(name: string): string {
  return `template:${name}`
}

/**
 * Builds the template, or finds a complete one of an earlier run, and calls `use` with it while no other run
 * may drop it. A complete template is frozen: one of a killed build is not, and is built again. Two runs with
 * the same template build it once.
 */
export async function withTemplate<T>(
  wanted: TemplateWanted,
  use: (template: FoundTemplate) => Promise<T>,
): Promise<T> {
  const { databases, admin, name } = wanted
  const key = templateKey(name)
  await lockWithin(wanted, key, BUILD_TIMEOUT_MS)
  return withCleanUp(
    async () => {
      const found = (await databases.list(admin)).find((entry) => entry.name === name)
      if (found?.frozen && found.mark !== undefined) return await use({ mark: found.mark, isNew: false })
      if (found !== undefined) await dropUnfinished(databases, admin, name, found.mark)
      return await use({ mark: await build(wanted), isNew: true })
    },
    () => databases.unlock(admin, key),
  )
}

async function lockWithin(
  { databases, admin, progress }: TemplateWanted,
  key: string,
  timeoutMs: number,
): Promise<void> {
  const deadline = now() + timeoutMs
  for (let tries = 0; !(await databases.tryLock(admin, key, { everywhere: true })); tries++) {
    if (tries === 0) progress({ phase: 'wait' })
    if (now() > deadline) {
      throw new AfreshError(
        'server',
        `Others have been building the same template, or copying it, for ${timeoutMs / 1000} s.`,
        {
          next: 'Look at those runs: their migrations may hang.',
        },
      )
    }
    // After a collision neither run has the lock: a random delay avoids the next one.
    await sleep(50 + 100 * Math.random())
  }
}

async function dropUnfinished(
  databases: Databases,
  admin: Connection,
  name: string,
  mark: string | undefined,
): Promise<void> {
  if (mark === undefined) {
    throw new AfreshError(
      'refused',
      `A database "${name}" already exists, and it carries no mark of afresh.`,
      {
        next: 'Drop it manually if it is no longer needed.',
      },
    )
  }
  await databases.drop(admin, name, mark)
}

interface Begun {
  readonly mark: string
  readonly connection: Connection
  readonly base: TemplateBase | undefined
}

async function build(wanted: TemplateWanted): Promise<string> {
  const { databases, admin, name, fill } = wanted
  const { mark, connection, base } = await begin(wanted)
  const fillAndFreeze = async () => {
    await withCleanUp(
      () => fill(connection, base),
      () => connection.close(),
    )
    await databases.freeze(admin, name)
  }
  await withUndo(fillAndFreeze, () => databases.drop(admin, name, mark))
  return mark
}

async function begin(wanted: TemplateWanted): Promise<Begun> {
  const { databases, admin, name } = wanted
  const bases = (await wanted.bases?.()) ?? []
  const present = bases.length === 0 ? new Set<string>() : await completeTemplates(wanted)
  for (const base of bases) {
    const begun = present.has(base.name) ? await beginFrom(wanted, base) : undefined
    if (begun !== undefined) return begun
  }
  const mark = await databases.create(admin, name)
  return { mark, connection: await connectTo(wanted, mark), base: undefined }
}

/** `undefined` if the base is gone by now. Its lock is held only until it is copied: others may need it too. */
async function beginFrom(wanted: TemplateWanted, base: TemplateBase): Promise<Begun | undefined> {
  const { databases, admin, name } = wanted
  const key = templateKey(base.name)
  await lockWithin(wanted, key, BUILD_TIMEOUT_MS)
  return withCleanUp(
    async () => {
      if (!(await completeTemplates(wanted)).has(base.name)) return undefined
      const reopened = wanted.mayRenameBase ? await databases.reopen?.(admin, base.name, name) : undefined
      if (reopened !== undefined)
        return { mark: reopened, connection: await connectTo(wanted, reopened), base }
      const mark = await databases.clone(admin, base.name, name, { settings: false })
      const connection = await connectTo(wanted, mark)
      await withUndo(
        async () => databases.copySettings?.(admin, base.name, name),
        async () => {
          await connection.close()
          await databases.drop(admin, name, mark)
        },
      )
      return { mark, connection, base }
    },
    () => databases.unlock(admin, key),
  )
}

async function connectTo(wanted: TemplateWanted, mark: string): Promise<Connection> {
  const { engine, databases, admin, adminUrl, name } = wanted
  return withUndo(
    () => engine.connect(databases.urlOf(adminUrl, name)),
    () => databases.drop(admin, name, mark),
  )
}

async function completeTemplates({ databases, admin }: TemplateWanted): Promise<ReadonlySet<string>> {
  const entries = await databases.list(admin)
  return new Set(entries.filter(({ frozen, mark }) => frozen && mark !== undefined).map(({ name }) => name))
}
