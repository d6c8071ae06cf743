import type { Connection } from '../engine/connection.ts'
import type { Databases } from '../engine/databases.ts'
import type { Engine } from '../engine/engine.ts'
import { AfreshError, withCleanUp, withUndo } from '../errors.ts'
import { now, sleep } from '../util/clock.ts'

export interface TemplateWanted {
  readonly engine: Engine
  readonly databases: Databases
  /** A connection to the server, not to the template. */
  readonly admin: Connection
  readonly adminUrl: string
  readonly name: string
  /** Fills the new database; its failure leaves no template behind. */
  readonly fill: (connection: Connection) => Promise<void>
}

/** How long to wait for another run that is building the same template: ten minutes. */
const BUILD_TIMEOUT_MS = 600_000

/** The lock of who builds a template, or takes the first copy of it: until then nothing tells that a run needs it. */
export function templateKey(name: string): string {
  return `template:${name}`
}

/**
 * Makes the template, or finds it complete from an earlier run, and calls `use` while nobody may take it away. Being
 * frozen is the sign that it is complete: a build that was killed leaves one that is not, and it is built again. Two
 * runs that want the same one build it once.
 */
export async function withTemplate<T>(wanted: TemplateWanted, use: () => Promise<T>): Promise<T> {
  const { databases, admin, name } = wanted
  const key = templateKey(name)
  await lockWithin(databases, admin, key, BUILD_TIMEOUT_MS)
  return withCleanUp(
    async () => {
      const found = (await databases.list(admin)).find((entry) => entry.name === name)
      if (!found?.frozen || found.mark === undefined) {
        if (found !== undefined) await dropUnfinished(databases, admin, name, found.mark)
        await build(wanted)
      }
      return await use()
    },
    () => databases.unlock(admin, key),
  )
}

async function lockWithin(
  databases: Databases,
  admin: Connection,
  key: string,
  timeoutMs: number,
): Promise<void> {
  const deadline = now() + timeoutMs
  while (!(await databases.tryLock(admin, key, { everywhere: true }))) {
    if (now() > deadline) {
      throw new AfreshError(
        'server',
        `Others have been building the same template, or copying it, for ${timeoutMs / 1000} s.`,
        {
          next: 'Look at those runs: their migrations may hang.',
        },
      )
    }
    // Of two that saw each other neither has it: not both again at the same time.
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
      `A database "${name}" is there already, and it carries no mark of afresh.`,
      {
        next: 'Drop it manually if it is no longer needed.',
      },
    )
  }
  await databases.drop(admin, name, mark)
}

async function build({ engine, databases, admin, adminUrl, name, fill }: TemplateWanted): Promise<void> {
  const mark = await databases.create(admin, name)
  const fillAndFreeze = async () => {
    const connection = await engine.connect(databases.urlOf(adminUrl, name))
    await withCleanUp(
      () => fill(connection),
      () => connection.close(),
    )
    await databases.freeze(admin, name)
  }
  await withUndo(fillAndFreeze, () => databases.drop(admin, name, mark))
}
