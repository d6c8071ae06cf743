import { AfreshError, ResetError } from '../../errors.ts'
import { describeStep, tableOfStep } from '../../plan/describe.ts'
import { type Plan, type Step, select } from '../../plan/plan.ts'
import { type Table, type TableId, tableOf } from '../../schema/schema.ts'
import type { Outcome, Program, Resetter } from '../engine.ts'
import type { SqliteConnection } from './connection.ts'
import { type Baseline, type Detector, detectorOf } from './detect.ts'
import type { Database } from './driver.ts'
import { fold } from './introspect.ts'
import { assertMark } from './ownership.ts'
import { captureSql, copyOf, hasIdentity, isDerived, statementsOf } from './statements.ts'
import { changing, isLocked, looking, withForeignKeysOff } from './transaction.ts'
import { withoutTriggers } from './triggers.ts'

/** Tells apart the copies of several baselines on one handle. */
let generations = 0

/** Copies the baseline's rows into the connection's `temp` schema; afterwards a reset needs no other place. */
export async function prepare(connection: SqliteConnection, program: Program): Promise<Resetter> {
  const { db } = connection
  const { lockTimeoutMs, mark } = program
  refuseWhatCannotComeBack(program)
  generations += 1
  const generation = generations
  const session: Session = await changing(connection, lockTimeoutMs, () => {
    const baseline = capture(db, program, generation)
    const detector = detectorOf(db, baseline)
    refuseStaleIndexes(program, detector)
    if (detector.dirty().length === 0) detector.settle()
    return { db, baseline, detector }
  })
  const { detector } = session
  return {
    async reset() {
      // First, since switching foreign keys makes every prepared statement of the handle compile again.
      const isUntouched = await looking(connection, lockTimeoutMs, () => {
        assertMark(connection, mark)
        return detector.isUntouched()
      })
      if (isUntouched) return { detector: 'counters', dirty: [], ran: [] }
      return withForeignKeysOff(db, () =>
        changing(connection, lockTimeoutMs, () => {
          assertMark(connection, mark)
          return putBack(session)
        }),
      )
    },
    detect: () => looking(connection, lockTimeoutMs, () => (detector.isUntouched() ? [] : detector.dirty())),
    async close() {
      for (const id of session.baseline.rows.keys()) {
        db.exec(`DROP TABLE IF EXISTS ${copyOf(tableOf(program.schema, id), generation)}`)
      }
    },
  }
}

interface Session {
  readonly db: Database
  readonly baseline: Baseline
  readonly detector: Detector
}

function refuseWhatCannotComeBack({ schema, plan }: Program): void {
  const populated = plan.populated.map((id) => tableOf(schema, id))
  const unreadable = populated.filter(({ traits }) => traits.includes('unreadable'))
  const anonymous = populated.filter((table) => !hasIdentity(table))
  const problems = [
    ...unreadable.map(
      ({ label }) => `"${label}" is a contentless full-text index: its rows cannot be read back`,
    ),
    ...anonymous.map(
      ({ label }) => `"${label}" has columns named rowid, _rowid_ and oid, which hide its rows' identity`,
    ),
  ]
  if (problems.length === 0) return
  throw new AfreshError(
    'plan',
    `These baseline rows could not be put back:\n  - ${problems.join('\n  - ')}`,
    {
      next: 'Name the tables in `keep`, or let their baseline be empty.',
    },
  )
}

function refuseStaleIndexes({ schema, plan }: Program, detector: Detector): void {
  const stale = plan.populated
    .map((id) => tableOf(schema, id))
    .filter((table) => isDerived(table) && !detector.isInSync(table))
    .map(({ label }) => `"${label}"`)
  if (stale.length === 0) return
  throw new AfreshError(
    'plan',
    `A full-text index does not match the rows that it indexes: ${stale.join(', ')}.`,
    {
      next: `Run INSERT INTO x(x) VALUES('rebuild') on it at the end of the fixtures, or name it in \`keep\`.`,
    },
  )
}

function capture(db: Database, { schema, plan }: Program, generation: number): Baseline {
  const rows = new Map<TableId, bigint>()
  for (const id of plan.populated) {
    const table = tableOf(schema, id)
    if (isDerived(table)) continue
    const [create, fill] = captureSql(table, generation)
    db.exec(create)
    rows.set(id, BigInt(db.run(fill)))
  }
  return { schema, plan, generation, rows }
}

type Ran = Outcome['ran'][number]

/** Within a transaction, with foreign keys off: finds what is dirty and puts it right. */
function putBack(session: Session): Outcome {
  const { detector } = session
  const dirty = asStep('find what changed', () => detector.dirty())
  const ran = [...runRows(session, dirty), ...runIndexes(session, dirty), ...runSequences(session)]
  detector.settle()
  return { detector: 'scan', dirty, ran: ran.sort((a, b) => a.step - b.step) }
}

function runRows(session: Session, dirty: readonly string[]): Ran[] {
  const { db, baseline } = session
  const steps = select(baseline.plan, new Set(dirty)).filter(
    ({ step }) => step.kind !== 'restart' && !written(session, step).some(isDerived),
  )
  const names = new Set(steps.flatMap(({ step }) => written(session, step).map(({ name }) => fold(name))))
  const ran: Ran[] = []
  asStep('take the triggers off and put them back', () =>
    withoutTriggers(db, names, () => {
      for (const { index, step } of steps) ran.push(runStep(session, index, step))
    }),
  )
  return ran
}

/** After the rows: a full-text index without rows of its own is right as soon as it matches those. */
function runIndexes(session: Session, dirty: readonly string[]): Ran[] {
  if (dirty.length === 0) return []
  return stepsOf(session.baseline.plan).flatMap(({ index, step }) => {
    if (step.kind !== 'delete' && step.kind !== 'fill') return []
    const stale = written(session, step).some(
      (table) => isDerived(table) && !session.detector.isInSync(table),
    )
    return stale ? [runStep(session, index, step)] : []
  })
}

/** Last, and whatever was dirty: rows put back raise the counter to the largest of their ids. */
function runSequences(session: Session): Ran[] {
  const astray = new Set(session.detector.astray())
  return stepsOf(session.baseline.plan).flatMap(({ index, step }) =>
    step.kind === 'restart' && astray.has(step.sequence) ? [runStep(session, index, step)] : [],
  )
}

function stepsOf(plan: Plan): { index: number; step: Step }[] {
  return plan.steps.map((step, index) => ({ index, step }))
}

function written({ baseline: { schema } }: Session, step: Step): Table[] {
  if (step.kind === 'trim') return [tableOf(schema, step.table)]
  if (step.kind === 'check' || step.kind === 'restart') return []
  return step.tables.map((id) => tableOf(schema, id))
}

function runStep({ db, baseline: { schema, generation } }: Session, index: number, step: Step): Ran {
  let rows = 0
  for (const sql of statementsOf(schema, step, generation)) {
    asStep(
      describeStep(schema, step),
      () => {
        if (step.kind === 'check') refuseOrphans(db, sql)
        else rows += db.run(sql)
      },
      { table: tableOfStep(schema, step), statement: sql },
    )
  }
  return {
    step: index,
    rows: step.kind === 'check' || step.kind === 'restart' ? undefined : rows,
    truncated: false,
  }
}

function refuseOrphans(db: Database, sql: string): void {
  const orphans = db.all(sql)[0]?.orphans
  if (orphans !== 0n) throw new Error(`${String(orphans)} kept rows refer to rows that are gone now`)
}

/** Errors of `body` say in which step they happened; the innermost knows best. */
function asStep<T>(
  step: string,
  body: () => T,
  at: { table: string | undefined; statement: string | undefined } = {
    table: undefined,
    statement: undefined,
  },
): T {
  try {
    return body()
  } catch (error) {
    if (error instanceof AfreshError) throw error
    throw new ResetError({ step, ...at }, error, {
      code: isLocked(error) ? 'blocked' : 'reset',
      next: 'Nothing was changed: the reset is one transaction, and the next one begins anew.',
    })
  }
}
