import type { Sql } from '../engine/bound-sql.ts'
import type { EraseSession } from '../engine/erase.ts'
import { AfreshError } from '../errors.ts'
import { type Schema, type Table, type TableId, tableOf } from '../schema/schema.ts'
import { eraseInBatches } from './batch.ts'
import { markOf, refuseUnmarkable } from './mark.ts'
import { actionsOf, checkOptions, type EraseOptions, labelOf } from './options.ts'
import { type ErasePlan, familyOf, planErase } from './plan.ts'
import { refusePlan } from './refuse.ts'
import { type EraseReport, reportOf, Tally } from './report.ts'
import type { Target } from './task.ts'
import { bareTask } from './tasks.ts'
import { type Done, type Ground, inOrder, type Job, once, plain, transact } from './transact.ts'
import { twinsOf, withTwins } from './twins.ts'

/** Rows of a table that are to go. */
export interface Wanted {
  readonly table: Table
  readonly conditions: readonly Sql[]
}

/**
 * Deletes selected rows, with what has to go with them.
 *
 * @throws AfreshError `usage`; `erase` where rows of other tables would have to go and may not, where there are more than
 * `max`, and when a statement fails; `blocked`. Nothing was changed then, but for batches before.
 */
export async function eraseRows(
  given: Ground,
  wanted: readonly Wanted[],
  options: EraseOptions,
  { isPurge = false } = {},
): Promise<EraseReport> {
  checkOptions(options)
  const { engine, connection } = given
  // A twin may have been made since.
  const schema = options.archive === true ? await engine.introspect(connection) : given.schema
  const ground = { ...given, schema }
  const targets = wanted.flatMap((one) => targetsOf(schema, one))
  const mark = markOf(options.softDelete, engine.erase)
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
  refusePlan(plan)
  if (mark !== undefined) refuseUnmarkable(plan, mark)
  if (options.dryRun === true) refuseUnrecoverable(plan)
  const twins =
    options.archive === true
      ? twinsOf(plan, engine.databases?.maxNameBytes ?? Number.POSITIVE_INFINITY)
      : { tables: new Map<TableId, Table>(), missing: [] }
  const job: Job = { ground, plan, targets, options, mark, twins }
  const started = performance.now()
  const { lockTimeoutMs = ground.lockTimeoutMs } = options
  return engine.erase.session(connection, { lockTimeoutMs }, async (session) => {
    const keep = options.dryRun !== true
    const done = await withTwins({ session, syntax: engine.erase, keep }, twins, () =>
      carryOut(job, session, planFor),
    )
    return reportOf(done.tables, {
      dryRun: options.dryRun === true,
      statements: done.statements,
      batches: done.batches,
      durationMs: performance.now() - started,
    })
  })
}

async function carryOut(
  job: Job,
  session: EraseSession,
  planFor: (ids: readonly TableId[]) => ErasePlan,
): Promise<Done> {
  const { options, plan, ground, mark } = job
  const { dryRun = false, batch, max, archive } = options
  if (batch !== undefined && !dryRun) return eraseInBatches(job, session, batch, planFor)
  const isLeftToServer = plan.cascade === 'declared' && !dryRun && max === undefined
  const isBare =
    (plan.links.length === 0 || isLeftToServer) && mark === undefined && archive !== true && max === undefined
  if (!isBare) return once(job, session, { keep: !dryRun })
  // Those that inherit are named with it.
  const heads = inOrder(job).filter(({ as }) => as === undefined)
  const tasks = heads.flatMap((target) =>
    target.conditions.map((condition) => bareTask(ground.engine.erase, target, condition)),
  )
  const tally = new Tally(plan)
  const [first] = tasks
  if (tasks.length === 1 && first !== undefined && !dryRun) tally.add(first, [await session.alone(first)])
  else await transact(session, { tasks, temporary: [], cyclic: false }, tally, { ...job, keep: !dryRun })
  return { tables: tally.tables(false), statements: tasks.map(plain), batches: 1 }
}

function targetsOf(schema: Schema, { table, conditions }: Wanted): Target[] {
  return familyOf(schema, table).map((id) => ({
    table: tableOf(schema, id),
    conditions,
    ...(id !== table.id && { as: table.name }),
  }))
}

/** What is to go from several tables goes by the condition of each, and from none of them because of another. */
function leaveAmong(schema: Schema, targets: readonly Target[], actions: Map<unknown, unknown>): void {
  const ids = new Set(targets.map(({ table }) => table.id))
  for (const key of schema.foreignKeys) {
    if (!ids.has(key.from) || !ids.has(key.to) || actions.has(key)) continue
    if (key.onDelete !== 'set null' && key.onDelete !== 'set default') actions.set(key, 'refuse')
  }
}

/** Throws `AfreshError` (`usage`) for tables without transactions: what is deleted there cannot be rolled back. */
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
