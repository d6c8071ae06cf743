import { type AttachOptions, parseAttachOptions } from '../config/options.ts'
import { readServerCosts } from '../costs/store.ts'
import { guardEnvironment, requireMark } from '../database/guard.ts'
import type { Connection } from '../engine/connection.ts'
import type { Engine } from '../engine/engine.ts'
import { type Opened, open } from '../engine/registry.ts'
import { AfreshError, withCleanUp } from '../errors.ts'
import type { Plan } from '../plan/plan.ts'
import { planFor } from '../reset/make-plan.ts'
import type { ResetReport } from '../reset/report.ts'
import { openSession } from '../reset/session.ts'
import { migrationTablesAmong } from '../schema/migration-tables.ts'
import type { Schema } from '../schema/schema.ts'
import { examine } from './attach.ts'
import { type PlanView, viewOf } from './plan-view.ts'

export interface EmptyDatabaseOptions extends AttachOptions {
  /** Also empty the tables of migration tools, instead of failing if they have rows. Default `false`. */
  readonly migrationTables?: boolean
}

/**
 * Empties the tables of a marked database and restarts its sequences: a reset without a captured baseline.
 *
 * @throws RefusedError for a database without a valid mark (`afresh adopt`), or with sessions of other
 * clients; it is unchanged
 * @throws AfreshError `usage` if it would empty the tables of a migration tool; `plan`, `server`
 * @throws ResetError naming step, table, statement and cause
 */
export async function emptyDatabase(url: string, options: EmptyDatabaseOptions = {}): Promise<ResetReport> {
  return onMarked(url, options, async ({ engine, connection }, mark) => {
    const { reset } = parse(options)
    const session = await openSession({
      engine,
      connection,
      options: reset,
      claim: mark === undefined ? undefined : { mark },
      from: 'nothing',
      costs: await readServerCosts({ engine, connection }),
      // The baseline is empty, and nothing reads its fingerprint.
      baseline: { tables: new Map(), sequences: new Map() },
    })
    return withCleanUp(
      async () => {
        const { report } = await session.reset()
        await requireEmpty(engine, connection, session)
        return report
      },
      () => session.close(),
    )
  })
}

/** What `emptyDatabase` would do. Changes nothing. Throws the same errors. */
export async function planToEmpty(url: string, options: EmptyDatabaseOptions = {}): Promise<PlanView> {
  return onMarked(url, options, ({ engine, connection }) =>
    viewOf(engine, connection, parse(options).reset, 'nothing'),
  )
}

function parse({ migrationTables: _, ...options }: EmptyDatabaseOptions) {
  return parseAttachOptions(options)
}

async function onMarked<T>(
  url: string,
  options: EmptyDatabaseOptions,
  body: (opened: Opened, mark: string | undefined) => Promise<T>,
): Promise<T> {
  const { allow, reset } = parse(options)
  guardEnvironment()
  const opened = await open(url)
  return withCleanUp(
    async () => {
      const { engine, connection } = opened
      const mark = await requireMark(await examine(opened, allow))
      const { schema, plan, survey } = await planFor(engine, connection, reset, { from: 'nothing' })
      if (options.migrationTables !== true) refuseMigrationTables(schema, plan, survey.populated)
      return body(opened, mark)
    },
    () => opened.connection.close(),
  )
}

function refuseMigrationTables(schema: Schema, plan: Plan, populated: readonly string[]): void {
  const reset = new Set(plan.order.flat())
  const tables = migrationTablesAmong(schema, populated).filter(({ id }) => reset.has(id))
  if (tables.length === 0) return
  const labels = tables.map(({ label }) => label)
  throw new AfreshError(
    'usage',
    `${labels.join(', ')} would be emptied, and the migrations that ${tables.length > 1 ? 'they note' : 'it notes'} ` +
      'would run again; nothing was changed.',
    { next: `Keep what they hold by --keep ${labels.join(',')}, or pass --empty to empty them too.` },
  )
}

/** A trigger or rule can suppress a DELETE without an error. */
async function requireEmpty(
  engine: Engine,
  connection: Connection,
  { schema, plan }: { readonly schema: Schema; readonly plan: Plan },
): Promise<void> {
  const { populated } = await engine.inspectState(connection, schema)
  const reset = new Set(plan.order.flat())
  const left = schema.tables.filter(({ id }) => reset.has(id) && populated.includes(id))
  if (left.length === 0) return
  throw new AfreshError(
    'reset',
    `These tables still contain rows: ${left.map(({ label }) => label).join(', ')}.`,
    {
      next: 'Another session is writing to the database, or a trigger or rule there prevents deletes.',
    },
  )
}
