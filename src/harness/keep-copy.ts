import { keepDatabase } from '../database/kept.ts'
import { namesFor } from '../database/names.ts'
import type { Connection } from '../engine/connection.ts'
import type { Databases } from '../engine/databases.ts'
import type { Engine } from '../engine/engine.ts'
import { AfreshError, messageOf, withCleanUp } from '../errors.ts'
import type { HarnessHandle } from './handle.ts'
import type { OpenLease } from './lease-session.ts'
import { commandLine } from './open-database.ts'

/** A copy of a test database that stays after the run. */
export interface KeptCopy {
  readonly name: string
  readonly url: string
  /**
   * A line for a shell that opens the copy in the client program of the engine. Contains the password only if afresh
   * started the server.
   */
  readonly command: string
  /** Labels of the tables whose rows differ from the baseline. */
  readonly tables: readonly string[]
}

/** When a database is copied. */
export interface KeepOptions {
  /** Only if its rows differ from the baseline. Default `false`. */
  readonly ifDirty?: boolean
  /** Only if the copy is expected to take at most so many milliseconds. Default: however long it takes. */
  readonly withinMs?: number
}

/** Number of copies that stay if the options keep none of failed tests. */
const MOST = 3

/** @throws AfreshError `server` if the database cannot be copied */
export async function keepCopy(
  engine: Engine,
  { adminUrl, project, template, tests, server }: HarnessHandle,
  { lease, session }: OpenLease,
  { ifDirty = false, withinMs = Number.POSITIVE_INFINITY }: KeepOptions = {},
): Promise<KeptCopy | undefined> {
  const { databases } = engine
  if (databases === undefined) throw new Error(`${engine.title} has no server to keep a database on`)
  const { schema, plan } = session
  const keep = async () => {
    const dirty = await session.dirty()
    const tables = schema.tables.filter(({ id }) => dirty.includes(id)).map(({ label }) => label)
    if (ifDirty && dirty.length === 0) return undefined
    await refuseSlow(databases, lease.connection, withinMs)
    const { lockTimeoutMs } = session
    const source = {
      ...{ connection: lease.connection, template, schema, dirty, lockTimeoutMs },
      mode: plan.mode,
    }
    const names = namesFor(project, databases.maxNameBytes)
    const admin = await engine.connect(adminUrl)
    const name = await withCleanUp(
      () => keepDatabase(databases, admin, source, { names, most: tests.keepFailed || MOST }),
      () => admin.close(),
    )
    return { name, tables }
  }
  const kept = await session.alone(keep).catch((cause: unknown) => {
    throw cause instanceof AfreshError ? cause : notCopied(lease.name, cause)
  })
  if (kept === undefined) return undefined
  const { name, tables } = kept
  const url = databases.urlOf(adminUrl, name)
  return {
    name,
    url,
    command: commandLine(engine, url, { showPassword: server.kind !== 'existing' }),
    tables,
  }
}

async function refuseSlow(databases: Databases, connection: Connection, withinMs: number): Promise<void> {
  if (withinMs === Number.POSITIVE_INFINITY) return
  const { seconds } = await databases.extent(connection)
  if (1000 * seconds <= withinMs) return
  throw new AfreshError('usage', `A copy would take about ${Math.ceil(seconds)} s.`, {
    next: 'Copy it when you need it: `keepCopy` in the test.',
  })
}

function notCopied(name: string, cause: unknown): AfreshError {
  return new AfreshError('server', `The database "${name}" could not be copied: ${messageOf(cause)}.`, {
    next: 'A transaction that is still open, or a change of the schema, may prevent it.',
    cause,
  })
}
