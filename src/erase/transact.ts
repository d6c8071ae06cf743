import type { Connection, Engine } from '../engine/engine.ts'
import type { EraseSession } from '../engine/erase.ts'
import { AfreshError, EraseError } from '../errors.ts'
import type { Schema } from '../schema/schema.ts'
import { type EraseOptions, keyLabel } from './options.ts'
import type { ErasePlan } from './plan.ts'
import { type EraseReport, Tally } from './report.ts'
import type { Mark, Target, Task } from './task.ts'
import { type Tasks, tasksOf } from './tasks.ts'
import type { Twins } from './twins.ts'

/** A database, and what is known of it. */
export interface Ground {
  readonly engine: Engine
  readonly connection: Connection
  readonly schema: Schema
  /** How long somebody's lock is waited for, in milliseconds, unless the options say otherwise. */
  readonly lockTimeoutMs: number
}

/** An erase that may be done. */
export interface Job {
  readonly ground: Ground
  readonly plan: ErasePlan
  readonly targets: readonly Target[]
  readonly options: EraseOptions
  readonly mark: Mark | undefined
  readonly twins: Twins
}

/** What was done, in part or as a whole. */
export type Done = Pick<EraseReport, 'tables' | 'statements' | 'batches'>

/** Everything in one transaction. */
export async function once(
  job: Job,
  session: EraseSession,
  { keep, tally = new Tally(job.plan) }: { readonly keep: boolean; readonly tally?: Tally },
): Promise<Done> {
  const { plan, targets, options, mark, twins, ground } = job
  const counts = options.max !== undefined || plan.cascade === 'declared'
  const tasks = tasksOf(plan, ground.engine.erase, targets, {
    mark,
    twins: twins.tables,
    counts,
    countsOnly: false,
  })
  await transact(session, tasks, tally, { ...job, keep })
  return { tables: tally.tables(true), statements: tasks.tasks.map(plain), batches: 1 }
}

/** Children before parents. */
export function inOrder({ plan, targets }: Job): Target[] {
  const order = plan.groups.flatMap(({ tables }) => tables)
  return targets.toSorted((a, b) => order.indexOf(a.table.id) - order.indexOf(b.table.id))
}

export async function transact(
  session: EraseSession,
  { tasks, temporary, cyclic }: Tasks,
  tally: Tally,
  { plan, options, keep }: Pick<Job, 'plan' | 'options'> & { readonly keep: boolean },
): Promise<void> {
  await session.transaction(tasks, {
    keep,
    cyclic,
    temporary,
    watch(place, numbers) {
      const task = tasks[place]
      if (task === undefined) return
      tally.add(task, numbers)
      if (task.about === 'count' && options.max !== undefined && tally.counted > options.max) {
        throw tooMany(tally.counted, options.max)
      }
      refuseReferring(plan, task, numbers)
    },
  })
}

function refuseReferring(plan: ErasePlan, { about, link }: Task, [count = 0]: readonly number[]): void {
  if (link === undefined || count === 0) return
  const key = keyLabel(plan.schema, link.key)
  if (about === 'refused') {
    throw new AfreshError('erase', `${count} rows refer to those by ${key}, and are to stay.`, {
      next: "Nothing was changed. Delete those rows first, or say cascade: 'follow'.",
    })
  }
  if (about === 'dangling') {
    throw new EraseError('COMMIT', new Error(`the default of ${key} refers to no row`), {
      next: 'Nothing was changed. Say for that key what else is to happen (onDelete).',
    })
  }
  throw new AfreshError('erase', `Another session wrote rows meanwhile that refer to those by ${key}.`, {
    next: 'Nothing was changed. Erase again.',
  })
}

export function tooMany(count: number, max: number): AfreshError {
  return new AfreshError('erase', `There are at least ${count} rows to go, and at most ${max} may.`, {
    next: 'Nothing was changed. Look at what would go (dryRun), and narrow the condition or raise `max`.',
  })
}

export function plain({ sql, values }: Task): Pick<Task, 'sql' | 'values'> {
  return { sql, values }
}
