import type { Connection } from '../engine/connection.ts'
import type { Engine } from '../engine/engine.ts'
import { asConflict, isConflict } from '../engine/erase-conflict.ts'
import type { EraseSession, Proof } from '../engine/erase-dialect.ts'
import { AfreshError, EraseError } from '../errors.ts'
import { type Schema, tableOf } from '../schema/schema.ts'
import type { ArchiveTables } from './archive-tables.ts'
import { type EraseOptions, keyLabel } from './options.ts'
import type { ErasePlan } from './plan.ts'
import { type EraseReport, RowCounter } from './report.ts'
import type { EraseStatement, Mark, Target } from './statement.ts'
import { type EraseStatements, eraseStatementsOf } from './statements.ts'

/** A database, and what is known of it. */
export interface EraseContext {
  readonly engine: Engine
  readonly connection: Connection
  readonly schema: Schema
  /** How long somebody's lock is waited for, in milliseconds, unless the options say otherwise. */
  readonly lockTimeoutMs: number
  /**
   * One SQL statement that fails unless the database still is ours: the first of every transaction that deletes. Its failure
   * goes through as it is.
   */
  readonly proof?: Proof | undefined
}

/** An erase that may be done. */
export interface EraseJob {
  readonly ground: EraseContext
  readonly plan: ErasePlan
  readonly targets: readonly Target[]
  readonly options: EraseOptions
  readonly mark: Mark | undefined
  readonly archives: ArchiveTables
}

/** What was done, in part or as a whole. */
export type Done = Pick<EraseReport, 'tables' | 'statements' | 'batches'>

/** Everything in one transaction. */
export async function once(
  job: EraseJob,
  session: EraseSession,
  {
    keep,
    tally = new RowCounter(job.plan),
    spent = 0,
  }: { keep: boolean; tally?: RowCounter; spent?: number },
): Promise<Done> {
  const { plan, targets, options, mark, archives, ground } = job
  const counts = options.max !== undefined || plan.cascade === 'declared'
  const build = (locks: boolean) =>
    eraseStatementsOf(plan, ground.engine.erase, targets, {
      mark,
      archives: archives.tables,
      counts,
      countsOnly: false,
      locks,
    })
  const tasks = await runTransaction(session, build, tally, { ...job, keep, spent })
  return { tables: tally.tables(true), statements: tasks.tasks.map(plain), batches: 1 }
}

/** Children before parents. */
export function inOrder({ plan, targets }: EraseJob): Target[] {
  const order = plan.groups.flatMap(({ tables }) => tables)
  return targets.toSorted((a, b) => order.indexOf(a.table.id) - order.indexOf(b.table.id))
}

interface TransactionRun extends Pick<EraseJob, 'plan' | 'options'> {
  readonly keep: boolean
  /** How many rows went before, in other transactions. */
  readonly spent?: number
  /** Its statements have nothing to do with each other. */
  readonly isBare?: boolean
}

/** How often a transaction is tried that other sessions make fail. */
const MOST_ATTEMPTS = 3

/** Runs it, and runs it again where another session got in its way. */
export async function runTransaction(
  session: EraseSession,
  build: (locks: boolean) => EraseStatements,
  tally: RowCounter,
  { plan, options, keep, spent = 0, isBare = false }: TransactionRun,
): Promise<EraseStatements> {
  return retried(async (attempt) => {
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
      if (options.archive === true && index === tasks.tasks.length - 1) refuseUnlike(plan, own)
    }
    const { temporary, cyclic } = tasks
    await session.transaction(tasks.tasks, { keep, cyclic, temporary, isolation, watch })
    tally.take(own)
    return tasks
  })
}

export async function retried<T>(body: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await body(attempt)
    } catch (error) {
      if (attempt >= MOST_ATTEMPTS || !isConflict(error)) throw error
    }
  }
}

/** What is counted before rows go, and what went: the server may have taken more along than was there to be counted. */
function refuseMore(tally: RowCounter, spent: number, max: number | undefined): void {
  if (max === undefined) return
  const count = spent + tally.gone
  if (count > max) throw tooMany(count, max)
}

/** Throws where rows went that are not kept, or are kept and did not go. */
function refuseUnlike(plan: ErasePlan, tally: RowCounter): void {
  for (const id of plan.groups.flatMap(({ tables }) => tables)) {
    const [kept, gone] = [tally.of('archived', id), tally.of('deleted', id)]
    if (kept === gone) continue
    const { label, triggers } = tableOf(plan.schema, id)
    if (triggers.length === 0) throw asConflict(unlike(label, kept, gone, 'Another session wrote meanwhile.'))
    throw unlike(
      label,
      kept,
      gone,
      `A trigger may have kept rows or deleted them itself: ${triggers.join(', ')}.`,
    )
  }
}

/** Throws where not one row was marked, and some have a value of which nobody said that it is a mark. */
function refuseUnclear(plan: ErasePlan, tally: RowCounter, { tables: [id = ''] }: EraseStatement): void {
  const count = tally.of('unclear', id)
  if (count === 0 || tally.of('marked', id) > 0) return
  const { label } = tableOf(plan.schema, id)
  throw new AfreshError(
    'usage',
    `softDelete: ${count} of the selected rows of ${label} have another value there than NULL, and none has NULL: are they marked?`,
    {
      next: "Say what rows have that are not: softDelete: { column, value: 'gone', live: 'active' } (several: a list). Nothing was changed.",
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
      next: "Nothing was changed. Delete those rows first, or say cascade: 'follow'.",
    })
  }
  if (about === 'dangling') {
    throw new EraseError('COMMIT', new Error(`the default of ${key} refers to no row`), {
      next: 'Nothing was changed. Say for that key what else is to happen (onDelete).',
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
    next: 'Nothing was changed. Look at what would go (dryRun), and narrow the condition or raise `max`.',
  })
}

export function plain({ sql, values }: EraseStatement): Pick<EraseStatement, 'sql' | 'values'> {
  return { sql, values }
}
