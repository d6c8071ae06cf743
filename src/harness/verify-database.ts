import { type AttachOptions, type HarnessOptions, parseAttachOptions } from '../config/options.ts'
import { guardConnected, guardEnvironment } from '../database/guard.ts'
import { makeDatabase } from '../database/lease.ts'
import { namesFor, newRunId, runOf } from '../database/names.ts'
import { runKey } from '../database/reaper.ts'
import { templateKey } from '../database/template.ts'
import type { Databases } from '../engine/databases.ts'
import type { Fingerprint } from '../engine/fingerprint.ts'
import { isMade } from '../engine/ownership-mark.ts'
import { type Opened, open } from '../engine/registry.ts'
import { AfreshError, withCleanUp } from '../errors.ts'
import { planFor } from '../reset/make-plan.ts'
import type { ResetOptions } from '../reset/options.ts'
import { type Difference, differences } from '../reset/verify.ts'
import { migrationTablesAmong } from '../schema/migration-tables.ts'
import type { Schema } from '../schema/schema.ts'
import { findTemplate } from './find-template.ts'

export interface VerifyOptions extends AttachOptions {
  /** The name of the template that the database was copied from. Default: found by the configuration. */
  readonly template?: string | undefined
  /** The configuration of the project. */
  readonly config: HarnessOptions
  /** Whether the tables of migration tools have to be empty too, if there is no template. Default `false`. */
  readonly migrationTables?: boolean
}

/** How a database compares with its baseline. */
export interface Verification {
  readonly engine: string
  readonly database: string
  /** The template; `undefined`: the baseline is that of `afresh reset`, no rows and sequences at their start. */
  readonly template: string | undefined
  readonly tables: number
  /** Labels of tables of migration tools that were left out. */
  readonly leftOut: readonly string[]
  /** Empty if the database equals its baseline. */
  readonly differences: readonly Difference[]
}

/**
 * Compares a database with its baseline by counts and hashes of all rows. A database that afresh made is
 * compared with a copy of its template, which is dropped afterwards; any other with no rows at all. Changes
 * nothing in the database.
 *
 * @throws AfreshError `usage` if several templates could be its own; `server`, `plan`
 * @throws RefusedError in a production environment, and for a server on which afresh may not make the copy
 */
export async function verifyDatabase(url: string, options: VerifyOptions): Promise<Verification> {
  const { config, template: named, migrationTables = false, ...attachOptions } = options
  const { reset, allow } = parseAttachOptions(attachOptions)
  const opened = await open(url)
  return withCleanUp(
    async () => {
      const { databases } = opened.engine
      if (databases === undefined || !(await isOwn(opened, databases, named)))
        return compareWithNothing(opened, reset, migrationTables)
      await guard(opened, databases, allow)
      const template = named ?? (await findTemplate(opened, databases, config))
      return compareWithTemplate(opened, databases, { template, reset })
    },
    () => opened.connection.close(),
  )
}

/** Whether afresh made the database for a run. */
async function isOwn(
  { connection }: Opened,
  databases: Databases,
  named: string | undefined,
): Promise<boolean> {
  if (named !== undefined) return true
  if (runOf(connection.database) === undefined) return false
  const entries = await databases.list(connection)
  const found = entries.find(({ name }) => name === connection.database)
  return found?.mark !== undefined && isMade(found.mark)
}

/** The copy is made and dropped on this server. */
async function guard({ connection }: Opened, databases: Databases, allow: readonly string[]): Promise<void> {
  guardEnvironment()
  await guardConnected({ databases, connection }, { startedByAfresh: false, allow })
}

async function compareWithNothing(
  { engine, connection }: Opened,
  options: ResetOptions,
  migrationTables: boolean,
): Promise<Verification> {
  const { schema, plan, survey } = await planFor(engine, connection, options, { from: 'nothing' })
  const now = await engine.fingerprint(connection, schema)
  const leftOut = migrationTables
    ? []
    : migrationTablesAmong(schema, survey.populated).map(({ label }) => label)
  const found = differences(schema, plan, { tables: new Map(), sequences: new Map() }, now)
  return {
    engine: engine.title,
    database: connection.database,
    template: undefined,
    tables: plan.order.flat().length,
    leftOut,
    differences: found.filter(({ subject }) => !leftOut.includes(subject)),
  }
}

interface TemplateChoice {
  readonly template: string
  readonly reset: ResetOptions
}

async function compareWithTemplate(
  opened: Opened,
  databases: Databases,
  { template, reset }: TemplateChoice,
): Promise<Verification> {
  const { engine, connection } = opened
  const was = await withCopy(opened, databases, template, async (copy) => {
    const { schema, plan } = await planFor(engine, copy.connection, reset)
    const contents = await engine.fingerprint(copy.connection, schema)
    return { schema, plan, contents, definitions: await engine.definitions?.(copy.connection) }
  })
  const schema = await engine.introspect(connection)
  const contents = await engine.fingerprint(connection, schema)
  const isOther = (await engine.definitions?.(connection)) !== was.definitions
  return {
    engine: engine.title,
    database: connection.database,
    template,
    tables: was.plan.order.flat().length,
    leftOut: [],
    differences: [
      ...differences(was.schema, was.plan, was.contents, withIdsOf(was.schema, schema, contents)),
      ...newTables(was.schema, schema),
      ...(isOther ? [{ subject: 'definitions', difference: 'are not those of the template' }] : []),
    ],
  }
}

/** A copy of the template, because a template accepts no connections. A killed process leaves it to the reaper. */
async function withCopy<T>(
  { engine, connection }: Opened,
  databases: Databases,
  template: string,
  work: (copy: Opened) => Promise<T>,
): Promise<T> {
  const run = newRunId()
  const name = namesFor('verify', databases.maxNameBytes).temporary(run)
  const key = templateKey(template)
  await databases.tryLock(connection, runKey(run))
  if (!(await databases.tryLock(connection, key, { everywhere: true }))) throw isBusy(template)
  const source = { engine, databases, adminUrl: connection.url ?? '', template, programs: false }
  const copy = await withCleanUp(
    () => makeDatabase(source, connection, name),
    () => databases.unlock(connection, key),
  )
  return withCleanUp(
    () =>
      withCleanUp(
        () => work({ engine, connection: copy.connection }),
        () => copy.connection.close(),
      ),
    () => databases.drop(connection, name, copy.claim.mark),
  )
}

function isBusy(template: string): AfreshError {
  return new AfreshError('server', `A run is building or copying the template "${template}".`, {
    next: 'Try again in a moment.',
  })
}

/** The fingerprint by the ids of another schema with the same labels: a table that was made again has a new id. */
function withIdsOf(other: Schema, schema: Schema, { tables, sequences }: Fingerprint): Fingerprint {
  const idOf = new Map([...other.tables, ...other.sequences].map(({ label, id }) => [label, id]))
  const labelOf = new Map([...schema.tables, ...schema.sequences].map(({ label, id }) => [id, label]))
  const rename = <T>(entries: ReadonlyMap<string, T>) =>
    new Map([...entries].map(([id, value]) => [idOf.get(labelOf.get(id) ?? '') ?? id, value] as const))
  return { tables: rename(tables), sequences: rename(sequences) }
}

function newTables(before: Schema, now: Schema): Difference[] {
  const known = new Set(before.tables.map(({ label }) => label))
  return now.tables
    .filter(({ label }) => !known.has(label))
    .map(({ label }) => ({ subject: label, difference: 'is not in the template' }))
}
