import { isConflict } from '../engine/erase-conflict.ts'
import type { EraseSession, SelectionTable } from '../engine/erase-dialect.ts'
import { AfreshError } from '../errors.ts'
import type { TableId } from '../schema/schema.ts'
import { repeat } from '../util/repeat.ts'
import { listing } from './collect-rows.ts'
import { keyLabel } from './options.ts'
import type { ErasePlan } from './plan.ts'
import { type ErasedTable, RowCounter } from './report.ts'
import { type Done, type EraseJob, inOrder, once, plain, runTransaction } from './run-transaction.ts'
import type { EraseStatement, Target } from './statement.ts'
import { eraseStatementsOf } from './statements.ts'

/**
 * Erases in transactions of `size` selected rows each. The keys of the rows that the condition finds are
 * stored once, in their order, so that no change by a batch affects the selection; each batch continues where
 * the previous one ended.
 *
 * @throws AfreshError `erase` if it was stopped: the batches before are done, and another call continues
 */
export async function eraseInBatches(
  job: EraseJob,
  session: EraseSession,
  size: number,
  planFor: (ids: readonly TableId[]) => ErasePlan,
): Promise<Done> {
  refuseUnknown(job)
  refuseSplit(job.plan)
  if (job.options.max !== undefined) await refuseMore(job, session)
  const tallies: RowCounter[] = []
  const statements: Pick<EraseStatement, 'sql' | 'values'>[] = []
  const progress = { done: 0, batch: 0, spent: 0 }
  for (const target of inOrder(job)) {
    const own: EraseJob = { ...job, plan: planFor([target.table.id]), targets: [target] }
    const tally = new RowCounter(own.plan)
    tallies.push(tally)
    const first = await eraseTarget(own, session, size, tally, progress)
    if (statements.length === 0) statements.push(...first)
  }
  return { tables: summed(tallies), statements, batches: progress.batch }
}

async function eraseTarget(
  job: EraseJob,
  session: EraseSession,
  size: number,
  tally: RowCounter,
  progress: { done: number; batch: number; spent: number },
): Promise<Pick<EraseStatement, 'sql' | 'values'>[]> {
  const { targets, context, options } = job
  const syntax = context.engine.erase
  const [target] = targets
  if (target === undefined) throw new Error('a batch has one target')
  const name = syntax.selectionName('list')
  const { columns: identity, version } = syntax.identity(target.table)
  const stored = version === undefined ? identity : [...identity, version]
  const list: SelectionTable = { name, columns: stored, from: target.table, unique: 0, isList: true }
  let total = 0
  let first: Pick<EraseStatement, 'sql' | 'values'>[] = []
  try {
    const tasks = listing(syntax, list, target)
    await session.prepare()
    for (const task of tasks) {
      const found = await repeat(() => session.alone(task), isConflict)
      if (task.isFinding === true) total += found
    }
    for (let after = 0; after < total; after += size) {
      refuseStopped(options.signal, progress)
      const part: Target = { ...target, list: { name, after, upTo: after + size } }
      const before = tally.gone
      const all = { keep: true, tally, spent: progress.spent }
      const done = await once({ ...job, targets: [part] }, session, all)
      progress.spent += tally.gone - before
      if (after === 0) first = [...tasks.map(plain), ...done.statements]
      progress.batch++
      progress.done += Math.min(size, total - after)
      options.onProgress?.({
        done: progress.done,
        batch: progress.batch,
        total: progress.done + Math.max(0, total - after - size),
      })
    }
  } finally {
    await session.discard(name).catch(() => {})
  }
  return first
}

/** Throws `AfreshError` (`usage`) if a batch changes rows that later batches could not recognize any more. */
function refuseUnknown({ plan, targets, context }: EraseJob): void {
  const isUnknown = ({ table }: Target) =>
    plan.changed.includes(table.id) && context.engine.erase.identity(table).version !== undefined
  const labels = targets.filter(isUnknown).map(({ table }) => table.label)
  if (labels.length === 0) return
  throw new AfreshError(
    'usage',
    `batch: ${labels.join(', ')} has no primary key, and one batch changes rows of the next.`,
    { next: 'Add a primary key, or erase without batch.' },
  )
}

/** Throws `AfreshError` (`usage`) if only all selected rows together determine what has to stay. */
function refuseSplit({ schema, links, groups }: ErasePlan): void {
  const split = links.filter(
    ({ key, does, asked }) =>
      asked &&
      does === 'refuse' &&
      groups.some(({ tables }) => tables.includes(key.from) && tables.includes(key.to)),
  )
  if (split.length === 0) return
  const keys = split.map(({ key }) => keyLabel(schema, key)).join(', ')
  throw new AfreshError(
    'usage',
    `batch: the rows of one batch may be referred to by those of another (${keys}).`,
    {
      next: "Do without batch, or set cascade: 'follow' (and nothing else for that key).",
    },
  )
}

/** Counts everything that would be deleted, before any row is. */
async function refuseMore(job: EraseJob, session: EraseSession): Promise<void> {
  const { plan, targets, context, mark } = job
  const tally = new RowCounter(plan)
  const options = { mark, archives: new Map(), counts: true, countsOnly: true, locks: false }
  const tasks = eraseStatementsOf(plan, context.engine.erase, targets, options)
  await runTransaction(session, () => tasks, tally, { ...job, keep: false })
}

function refuseStopped(
  signal: AbortSignal | undefined,
  { done, batch }: { done: number; batch: number },
): void {
  if (signal?.aborted !== true) return
  throw new AfreshError('erase', `Stopped after ${batch} batches: ${done} of the selected rows are gone.`, {
    next: 'Erase again with the same condition to go on.',
    cause: signal.reason,
  })
}

/** Rows of one table may be deleted in the batches of several targets. */
function summed(tallies: readonly RowCounter[]): ErasedTable[] {
  const found = new Map<string, ErasedTable>()
  for (const erased of tallies.flatMap((tally) => tally.tables(true))) {
    const before = found.get(erased.table)
    found.set(erased.table, {
      table: erased.table,
      deleted: sum(before?.deleted, erased.deleted),
      changed: sum(before?.changed, erased.changed),
      marked: (before?.marked ?? 0) + erased.marked,
      archived: (before?.archived ?? 0) + erased.archived,
    })
  }
  return [...found.values()]
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined && b === undefined ? undefined : (a ?? 0) + (b ?? 0)
}
