import { AfreshError } from '../../errors.ts'
import { type SubjectId, tableOf } from '../../schema/schema.ts'
import type { Outcome, Program, Resetter } from '../resetter.ts'
import { capture, release } from './baseline.ts'
import type { SqliteConnection } from './connection.ts'
import { type Detector, detectorOf } from './detect.ts'
import { handleStateOf } from './handle-state.ts'
import { assertMark } from './ownership.ts'
import { asStep } from './step-error.ts'
import { foreignKeysAreIdle, runSequences, runSteps, type Session } from './steps.ts'
import { inReadTransaction, inWriteTransaction, withForeignKeysOff } from './transaction.ts'

const UNTOUCHED = 'nothing was written since the last reset'
const WRITTEN = 'something was written since the last reset, and the counters do not show where'

/** Copies the baseline's rows into the connection's `temp` schema, from which resets restore them. */
export async function prepare(connection: SqliteConnection, program: Program): Promise<Resetter> {
  const { db } = connection
  refuseReadOnly(connection)
  const session = await inWriteTransaction(connection, program.lockTimeoutMs, (): Session => {
    const baseline = capture(db, program)
    const detector = detectorOf(db, baseline)
    refuseStaleIndexes(program, detector)
    const session = { db, baseline, detector }
    runSequences(session)
    if (detector.dirty().length === 0) detector.markClean()
    return session
  })
  const state = handleStateOf(db, session.baseline)
  return {
    reset: async () => {
      allowWrites(connection)
      const first = await reset(connection, program, session, () => state.isAsBefore())
      if (first !== undefined) return { ...first, notes: notesOn(connection) }
      const restored = await state.restore(connection, program)
      const outcome = await reset(connection, program, session, () => true)
      if (outcome === undefined) throw new Error('the handle was to be as before')
      return { ...outcome, notes: [...restored, ...notesOn(connection)] }
    },
    detect: (by) =>
      inReadTransaction(connection, program.lockTimeoutMs, () =>
        by !== 'scan' && session.detector.isUntouched() ? [] : findDirty(session),
      ),
    differences: () =>
      inReadTransaction(connection, program.lockTimeoutMs, () => session.detector.schemaChanges()),
    close: async () => release(db, session.baseline),
  }
}

/** Changes nothing, and returns `undefined`, if `isReady` is false. */
async function reset(
  connection: SqliteConnection,
  program: Program,
  session: Session,
  isReady: () => boolean,
): Promise<Outcome | undefined> {
  const { lockTimeoutMs, claim } = program
  const { detector } = session
  const found = await inReadTransaction(connection, lockTimeoutMs, () => {
    assertMark(connection, claim?.mark)
    if (!isReady()) return undefined
    return {
      token: detector.changeToken(),
      dirty: program.detector !== 'scan' && detector.isUntouched() ? undefined : findDirty(session),
    }
  })
  if (found === undefined) return undefined
  const { token, dirty } = found
  if (dirty === undefined) return { detector: 'counters', why: UNTOUCHED, dirty: [], ran: [] }

  const putBack = (): Outcome => {
    assertMark(connection, claim?.mark)
    // Another connection may have written since the scan.
    const strays = detector.changeToken() === token ? dirty : findDirty(session)
    const ran = runSteps(session, strays)
    detector.markClean()
    return { detector: 'scan', why: WRITTEN, dirty: strays, ran }
  }
  if (foreignKeysAreIdle(session, dirty)) {
    const outcome = await inWriteTransaction(connection, lockTimeoutMs, () =>
      detector.changeToken() === token ? putBack() : undefined,
    )
    if (outcome !== undefined) return outcome
  }
  return inWriteTransaction(connection, lockTimeoutMs, putBack, (attempt) =>
    withForeignKeysOff(connection.db, attempt),
  )
}

/** Throws `AfreshError` (`usage`) if the handle is read-only. */
function refuseReadOnly({ db, database }: SqliteConnection): void {
  const [row] = db.all('PRAGMA query_only')
  if (Number(row?.query_only) !== 1) return
  throw new AfreshError('usage', `The handle of ${database} takes no writes: PRAGMA query_only is on.`, {
    next: 'Switch it off before it is attached: PRAGMA query_only = OFF.',
  })
}

/** Reverts `PRAGMA query_only`, which a test may have set. */
function allowWrites({ db }: SqliteConnection): void {
  try {
    db.exec('PRAGMA query_only = OFF')
  } catch {
    // If the handle is busy, the next statement reports that.
  }
}

/** What a reset of this handle does not restore, as sentences. */
function notesOn({ db }: SqliteConnection): string[] {
  const attached = db.all(`SELECT name FROM pragma_database_list WHERE name NOT IN ('main', 'temp')`)
  return attached.map(
    ({ name }) =>
      `The tables of the attached database "${String(name)}" are not reset: give it a handle of its own, and attach to that.`,
  )
}

function findDirty({ detector }: Session): SubjectId[] {
  return asStep('find what changed', () => detector.dirty())
}

function refuseStaleIndexes({ schema, plan }: Program, detector: Detector): void {
  const stale = detector
    .outOfSync()
    .filter((id) => plan.populated.includes(id))
    .map((id) => `"${tableOf(schema, id).label}"`)
  if (stale.length === 0) return
  throw new AfreshError(
    'plan',
    `A full-text index does not match the rows that it indexes: ${stale.join(', ')}.`,
    {
      next: `Run INSERT INTO x(x) VALUES('rebuild') on it at the end of the fixtures, or name it in \`keep\`.`,
    },
  )
}
