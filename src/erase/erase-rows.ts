import { isConflict } from '../engine/erase-conflict.ts'
import type { EraseSession } from '../engine/erase-dialect.ts'
import type { Sql } from '../engine/sql/fragment.ts'
import { AfreshError } from '../errors.ts'
import { type Schema, type Table, type TableId, tableOf } from '../schema/schema.ts'
import { now } from '../util/clock.ts'
import { repeat } from '../util/repeat.ts'
import { archiveTablesOf, withArchiveTables } from './archive-tables.ts'
import { eraseInBatches } from './batch.ts'
import { refuseTakenNames } from './named-table.ts'
import { actionsOf, checkOptions, type EraseOptions, labelOf } from './options.ts'
import { type ErasePlan, familyOf, planErase } from './plan.ts'
import { type EraseReport, RowCounter, reportOf } from './report.ts'
import {
  type Done,
  type EraseContext,
  type EraseJob,
  inOrder,
  once,
  plain,
  runTransaction,
} from './run-transaction.ts'
import { rejectUnmarkable, softDeleteOf } from './soft-delete.ts'
import type { Target } from './statement.ts'
import { bareStatement } from './statements.ts'
import { validatePlan } from './validate-plan.ts'

/** Rows of a table to delete. */
export interface EraseRequest {
  readonly table: Table
  readonly conditions: readonly Sql[]
}

/**
 * Deletes selected rows, with the rows that have to be deleted with them.
 *
 * @throws AfreshError `usage`; `erase` if rows of other tables would have to be deleted and may not, if there
 *   are more than `max`, or if a statement fails; `blocked`. Nothing is changed then, except by earlier
 *   batches.
 */
export async function eraseRows(
  given: EraseContext,
  wanted: readonly EraseRequest[],
  options: EraseOptions,
  { isPurge = false } = {},
): Promise<EraseReport> {
  checkOptions(options)
  const { engine, connection } = given
  // An archive table may have been created since.
  const schema = options.archive === true ? await engine.introspect(connection) : given.schema
  const context = { ...given, schema }
  const targets = wanted.flatMap((request) => targetsOf(schema, request))
  const { softDelete } = options
  const mark =
    softDelete === undefined
      ? undefined
      : softDeleteOf(softDelete, engine.erase, (await engine.erase.clock(connection)).now)
  const planFor = (ids: readonly TableId[]) => {
    const actions = new Map(actionsOf(schema, options.onDelete))
    if (isPurge && options.cascade !== 'follow') leaveAmong(schema, targets, actions)
    return planErase(schema, ids, {
      cascade: options.cascade ?? 'error',
      actions,
      marksOnly: mark !== undefined,
    })
  }
  const plan = planFor(targets.map(({ table }) => table.id))
  validatePlan(plan)
  if (mark !== undefined) rejectUnmarkable(plan, mark)
  if (options.dryRun === true) refuseUnrecoverable(plan)
  const archives =
    options.archive === true
      ? archiveTablesOf(plan, engine.databases?.maxNameBytes ?? Number.POSITIVE_INFINITY)
      : { tables: new Map<TableId, Table>(), missing: [] }
  await refuseTakenNames(context, archives)
  const job: EraseJob = { context, plan, targets, options, mark, archives }
  const started = now()
  const { lockTimeoutMs = context.lockTimeoutMs } = options
  return engine.erase.session(connection, { lockTimeoutMs, proof: context.proof }, async (session) => {
    const keep = options.dryRun !== true
    const done = await withArchiveTables({ session, syntax: engine.erase, keep }, archives, () =>
      carryOut(job, session, planFor),
    )
    return reportOf(done.tables, {
      dryRun: options.dryRun === true,
      statements: done.statements,
      batches: done.batches,
      durationMs: now() - started,
    })
  })
}

async function carryOut(
  job: EraseJob,
  session: EraseSession,
  planFor: (ids: readonly TableId[]) => ErasePlan,
): Promise<Done> {
  const { options, plan, context, mark } = job
  const { dryRun = false, batch, max, archive } = options
  if (batch !== undefined && !dryRun) return eraseInBatches(job, session, batch, planFor)
  const isLeftToServer = plan.cascade === 'declared' && !dryRun && max === undefined
  const isBare =
    (plan.links.length === 0 || isLeftToServer) && mark === undefined && archive !== true && max === undefined
  if (!isBare) return once(job, session, { keep: !dryRun })
  // A statement on a table includes the tables that inherit from it.
  const heads = inOrder(job).filter(({ as }) => as === undefined)
  const tasks = heads.flatMap((target) =>
    target.conditions.map((condition) => bareStatement(context.engine.erase, target, condition)),
  )
  const tally = new RowCounter(plan)
  const [first] = tasks
  if (tasks.length === 1 && first !== undefined && !dryRun) {
    tally.add(first, [await repeat(() => session.alone(first), isConflict)])
  } else {
    const all = { tasks, temporary: [], cyclic: false }
    await runTransaction(session, () => all, tally, { ...job, keep: !dryRun, isBare: true })
  }
  return { tables: tally.tables(false), statements: tasks.map(plain), batches: 1 }
}

function targetsOf(schema: Schema, { table, conditions }: EraseRequest): Target[] {
  return familyOf(schema, table).map((id) => ({
    table: tableOf(schema, id),
    conditions,
    ...(id !== table.id && { as: table.name }),
  }))
}

/** With several tables, no row is deleted because of a row in another: each condition decides alone. */
function leaveAmong(schema: Schema, targets: readonly Target[], actions: Map<unknown, unknown>): void {
  const ids = new Set(targets.map(({ table }) => table.id))
  for (const key of schema.foreignKeys) {
    if (!ids.has(key.from) || !ids.has(key.to) || actions.has(key)) continue
    if (key.onDelete !== 'set null' && key.onDelete !== 'set default') actions.set(key, 'refuse')
  }
}

/** Throws `AfreshError` (`usage`) for tables without transactions: their deletes cannot be rolled back. */
function refuseUnrecoverable({ schema, groups }: ErasePlan): void {
  const tables = groups.flatMap((group) => group.tables)
  const lasting = tables.filter((id) => tableOf(schema, id).traits.includes('non-transactional'))
  if (lasting.length === 0) return
  throw new AfreshError(
    'usage',
    `dryRun: ${lasting.map((id) => labelOf(schema, id)).join(', ')} cannot be rolled back.`,
    { next: 'Its storage engine has no transactions: SELECT what the condition finds instead.' },
  )
}
