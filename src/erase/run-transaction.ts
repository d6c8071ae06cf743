import type { Connection } from '../engine/connection.ts'
import type { Engine } from '../engine/engine.ts'
import { asConflict, isConflict } from '../engine/erase-conflict.ts'
import type { EraseSession, Proof } from '../engine/erase-dialect.ts'
import { AfreshError, EraseError } from '../errors.ts'
import { type Schema, tableOf } from '../schema/schema.ts'
import { repeat } from '../util/repeat.ts'
import type { ArchiveTables } from './archive-tables.ts'
import { type EraseOptions, keyLabel } from './options.ts'
import type { ErasePlan } from './plan.ts'
import { type EraseReport, RowCounter } from './report.ts'
import type { EraseStatement, Mark, Target } from './statement.ts'
import { type EraseStatements, eraseStatementsOf } from './statements.ts'

/** A database to erase in. */
export interface EraseContext {
  readonly engine: Engine
  readonly connection: Connection
  readonly schema: Schema
  /** Milliseconds to wait for another session's lock, unless the options say otherwise. */
  readonly lockTimeoutMs: number
  /**
   * Fails unless the database is still afresh's to change: comes first in every transaction that deletes. Its
   * error is passed through unchanged.
   */
  readonly proof?: Proof | undefined
}

/** An erase with a validated plan. */
export interface EraseJob {
  readonly context: EraseContext
  readonly plan: ErasePlan
  readonly targets: readonly Target[]
  readonly options: EraseOptions
  readonly mark: Mark | undefined
  readonly archives: ArchiveTables
}

/** The result of an erase, in part or as a whole. */
export type Done = Pick<EraseReport, 'tables' | 'statements' | 'batches'>

/** Runs everything in one transaction. */
export async function once(
  job: EraseJob,
  session: EraseSession,
  {
    keep,
    tally = new RowCounter(job.plan),
    spent = 0,
  }: { keep: boolean; tally?: RowCounter; spent?: number },
): Promise<Done> {
  const { plan, targets, options, mark, archives, context } = job
  const counts = options.max !== undefined || plan.cascade === 'declared'
  const build = (locks: boolean) =>
    eraseStatementsOf(plan, context.engine.erase, targets, {
      mark,
      archives: archives.tables,
      counts,
      countsOnly: false,
      locks,
    })
  const tasks = await runTransaction(session, build, tally, { ...job, keep, spent })
  return { tables: tally.tables(true), statements: tasks.tasks.map(plain), batches: 1 }
}

/** The targets, children before parents. */
export function inOrder({ plan, targets }: EraseJob): Target[] {
  const order = plan.groups.flatMap(({ tables }) => tables)
  return targets.toSorted((a, b) => order.indexOf(a.table.id) - order.indexOf(b.table.id))
}

interface TransactionRun extends Pick<EraseJob, 'plan' | 'options' | 'archives'> {
  readonly keep: boolean
  /** Number of rows that other transactions have deleted before. */
  readonly spent?: number
  /** Whether the statements are independent of each other. */
  readonly isBare?: boolean
}

/** Runs the transaction, and again after a conflict with another session. */
export async function runTransaction(
  session: EraseSession,
  build: (locks: boolean) => EraseStatements,
  tally: RowCounter,
  { plan, options, archives, keep, spent = 0, isBare = false }: TransactionRun,
): Promise<EraseStatements> {
  return repeat(async (attempt) => {
    const isolation = isBare ? 'none' : await session.isolation(attempt)
    const tasks = build(isolation === 'locks')
    const own = new RowCounter(plan)
    const watch = (index: number, numbers: readonly number[]) => {
      const task = tasks.tasks[index]
      if (task === undefined) return
      own.add(task, numbers)
      refuseMore(own, spent, options.max)
      refuseReferring(plan, task, numbers)
      if (task.about === 'unclear') refuseUnclear(plan, own, task)
      if (options.archive === true && index === tasks.tasks.length - 1) refuseUnlike(plan, own, archives)
    }
    const { temporary, cyclic } = tasks
    await session.transaction(tasks.tasks, { keep, cyclic, temporary, isolation, watch })
    tally.take(own)
    return tasks
  }, isConflict)
}

/** Checks the rows counted before and those deleted: the server may have deleted more than were counted. */
function refuseMore(tally: RowCounter, spent: number, max: number | undefined): void {
  if (max === undefined) return
  const count = spent + tally.gone
  if (count > max) throw tooMany(count, max)
}

/** Throws if rows were deleted without being archived, or archived without being deleted. */
function refuseUnlike(plan: ErasePlan, tally: RowCounter, archives: ArchiveTables): void {
  for (const id of plan.groups.flatMap(({ tables }) => tables)) {
    const [kept, gone] = [tally.of('archived', id), tally.of('deleted', id)]
    if (kept === gone) continue
    const { label, triggers } = tableOf(plan.schema, id)
    const archive = archives.tables.get(id)
    if (kept < gone && archive !== undefined && archive.triggers.length > 0) {
      const names = archive.triggers.join(', ')
      throw unlike(
        label,
        kept,
        gone,
        `A trigger or rule of ${archive.label} may have kept rows out of it: ${names}.`,
      )
    }
    if (triggers.length === 0) throw asConflict(unlike(label, kept, gone, 'Another session wrote meanwhile.'))
    throw unlike(
      label,
      kept,
      gone,
      `A trigger may have kept rows or deleted them itself: ${triggers.join(', ')}.`,
    )
  }
}

/** Throws if not one row was marked, and some have a value that may or may not be a mark. */
function refuseUnclear(plan: ErasePlan, tally: RowCounter, { tables: [id = ''] }: EraseStatement): void {
  const count = tally.of('unclear', id)
  if (count === 0 || tally.of('marked', id) > 0) return
  const { label } = tableOf(plan.schema, id)
  throw new AfreshError(
    'usage',
    `softDelete: ${count} of the selected rows of ${label} have another value there than NULL, and none has NULL: are they marked?`,
    {
      next: "Set the value that unmarked rows have: softDelete: { column, value: 'gone', live: 'active' } (several: a list). Nothing was changed.",
    },
  )
}

function unlike(label: string, kept: number, gone: number, why: string): AfreshError {
  return new AfreshError(
    'erase',
    `archive: ${kept} rows of ${label} were copied, and ${gone} were deleted.`,
    {
      next: `${why} Nothing was changed: copy the rows yourself, or erase again.`,
    },
  )
}

function refuseReferring(
  plan: ErasePlan,
  { about, link }: EraseStatement,
  [count = 0]: readonly number[],
): void {
  if (link === undefined || count === 0) return
  const key = keyLabel(plan.schema, link.key)
  if (about === 'refused') {
    throw new AfreshError('erase', `${count} rows refer to those by ${key}, and may not be deleted.`, {
      next: "Nothing was changed. Delete those rows first, or set cascade: 'follow'.",
    })
  }
  if (about === 'dangling') {
    throw new EraseError('COMMIT', new Error(`the default of ${key} refers to no row`), {
      next: 'Nothing was changed. Choose another action for that key (onDelete).',
    })
  }
  throw asConflict(
    new AfreshError('erase', `Another session wrote rows meanwhile that refer to those by ${key}.`, {
      next: 'Nothing was changed. Erase again.',
    }),
  )
}

function tooMany(count: number, max: number): AfreshError {
  return new AfreshError('erase', `There are at least ${count} rows to delete, and the maximum is ${max}.`, {
    next: 'Nothing was changed. Check what would be deleted (dryRun), and narrow the condition or raise `max`.',
  })
}

export function plain({ sql, values }: EraseStatement): Pick<EraseStatement, 'sql' | 'values'> {
  return { sql, values }
}
