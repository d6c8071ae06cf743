import { guardServer } from '../../database/guard.ts'
import { leaseKey, makeDatabase } from '../../database/lease.ts'
import { type Names, namesFor, newRunId } from '../../database/names.ts'
import { requirePrivileges } from '../../database/privileges.ts'
import { dropRun, reap, runKey } from '../../database/reaper.ts'
import { makeTemporaryDatabase } from '../../database/temporary-database.ts'
import type { Connection } from '../../engine/connection.ts'
import type { DatabaseSize } from '../../engine/database-size.ts'
import type { Databases } from '../../engine/databases.ts'
import type { Engine } from '../../engine/engine.ts'
import { type Opened, open } from '../../engine/registry.ts'
import { AfreshError, withCleanUp } from '../../errors.ts'
import { matchTables } from '../../schema/filter.ts'
import { withUndoStack } from '../../util/cleanup-stack.ts'

export interface CloneOptions {
  readonly allow: readonly string[]
  readonly tables?: readonly string[] | undefined
  /** Size from which a warning is shown before the copy. Default: 1 GiB. */
  readonly tellFromBytes?: number | undefined
  /** Called with a line of text. */
  readonly onProgress: (line: string) => void
}

/** A copy of the user's database, which may be changed freely. */
export interface Clone {
  readonly engine: Engine
  readonly databases: Databases
  /** The name of the original database. */
  readonly source: string
  readonly version: string
  /** Connected to the copy. */
  readonly connection: Connection
  /** Another connection to the copy, for a reader. */
  readonly observer: Connection
  /** Connected to another database of afresh on the same server. */
  readonly admin: Connection
  readonly adminUrl: string
  /** Name for a temporary database in which costs are measured. */
  readonly temporaryName: string
  /** Drops everything that was created. */
  close(): Promise<void>
}

/**
 * Copies a database; only reads the original. PostgreSQL does not copy a database with open connections, so
 * afresh connects to a database of its own first. That connection holds the lock of the run.
 *
 * @throws RefusedError for a server that the guard refuses
 * @throws AfreshError `usage` for a database without anything to measure; `server` if it cannot be copied
 */
export async function cloneOf(
  url: string,
  { allow, tables, tellFromBytes, onProgress }: CloneOptions,
): Promise<Clone> {
  return withUndoStack(async (undo) => {
    const opened = await open(url, { applicationName: 'afresh (bench)' })
    const { engine, connection } = opened
    const leaveOriginal = undo.add(() => connection.close())
    const databases = serverOf(opened)
    const facts = await databases.facts(connection)
    await guardServer({ endpoint: connection.endpoint, facts, startedByAfresh: false, allow })
    requirePrivileges(facts, databases, url)
    await refuseUnmeasurable(opened, tables ?? [])
    const warning = warningOf(connection.database, await databases.extent(connection), tellFromBytes)
    if (warning !== undefined) onProgress(warning)
    onProgress('copies the database')
    const run = newRunId()
    const names = namesFor('bench', databases.maxNameBytes)
    await databases.tryLock(connection, runKey(run))
    await reap(databases, connection)
    undo.add(() => dropFrom(opened, databases, run))
    const { connection: admin, url: adminUrl } = await makeFirstDatabase(opened, databases, { names, run })
    undo.add(() => admin.close())
    await leaveOriginal()
    await databases.tryLock(admin, runKey(run))
    const source = { engine, databases, adminUrl, template: connection.database, programs: false }
    const copy = await makeDatabase({ ...source, names: 'user' }, admin, names.database(run, 2))
    undo.add(() => copy.connection.close())
    const observer = await engine.connect(copy.url, { names: 'user' })
    undo.add(() => observer.close())
    return {
      engine,
      databases,
      source: connection.database,
      version: facts.version,
      connection: copy.connection,
      observer,
      admin,
      adminUrl,
      temporaryName: names.temporary(run),
      close: () => undo.run(),
    }
  })
}

/** The warning before a large database is copied. The copy is complete, whatever is measured. */
export function warningOf(
  database: string,
  { bytes, rows, seconds }: DatabaseSize,
  fromBytes = 2 ** 30,
): string | undefined {
  if (bytes < fromBytes) return undefined
  const gib = (bytes / 2 ** 30).toPrecision(2)
  const time = seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`
  return (
    `"${database}" has ${Number(gib)} GiB, about ${rows.toLocaleString('en-US')} rows. It is copied completely: ` +
    `it may take ${time}, which --budget does not count, and as much room again on the server`
  )
}

function serverOf({ engine }: Opened): Databases {
  const { databases, capabilities, title, rows } = engine
  if (capabilities.truncate && databases !== undefined && rows !== undefined) return databases
  throw new AfreshError('usage', `${title} has no TRUNCATE, so there is nothing to choose between.`, {
    next: 'A reset uses DELETE there; `afresh bench --engine sqlite` shows how long that takes.',
  })
}

async function refuseUnmeasurable(
  { engine, connection }: Opened,
  patterns: readonly string[],
): Promise<void> {
  if (connection.database === '') {
    throw new AfreshError('usage', 'The URL names no database.', {
      next: 'Name the one that your application uses: it is copied, and the copy is measured.',
    })
  }
  const schema = await engine.introspect(connection)
  if (schema.tables.length === 0) {
    throw new AfreshError('usage', `There are no tables in "${connection.database}".`, {
      next: 'Name the database that your application uses: it is copied, and the copy is measured.',
    })
  }
  const { unmatched } = matchTables(schema, patterns)
  if (unmatched.length === 0) return
  throw new AfreshError('usage', `\`tables\` names tables that are not there: ${unmatched.join(', ')}.`, {
    next: 'Correct the names; `afresh plan` lists the existing tables.',
  })
}

/** Takes the lease at once, before the reaper can mistake the database for one of a killed run. */
async function makeFirstDatabase(
  { engine, connection }: Opened,
  databases: Databases,
  { names, run }: { readonly names: Names; readonly run: string },
) {
  const adminUrl = connection.url ?? ''
  const clone = await makeTemporaryDatabase(
    { engine, databases, adminUrl },
    connection,
    names.database(run, 1),
  )
  await databases.tryLock(clone.connection, leaseKey(clone.name))
  return clone
}

/** Connects to the original database, because a database cannot be dropped from within. */
async function dropFrom({ engine, connection }: Opened, databases: Databases, run: string): Promise<void> {
  const outside = await engine.connect(connection.url ?? '', { applicationName: 'afresh (bench)' })
  await withCleanUp(
    () => dropRun(databases, outside, run),
    () => outside.close(),
  )
}
