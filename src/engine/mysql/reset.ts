import { type ErrorCode, RefusedError, ResetError } from '../../errors.ts'
import { describeStep, tableOfStep } from '../../plan/describe.ts'
import type { Connection, Outcome, Program, Resetter } from '../engine.ts'
import { baselineOf } from './baseline.ts'
import { blockersOf } from './blockers.ts'
import { flavorOf } from './connection.ts'
import { detector, type Found } from './detect.ts'
import { currentDatabase, guard } from './ownership.ts'
import { type Action, actionsFor, outcomeOf } from './program.ts'
import { BatchError, batch } from './session.ts'
import { sequenceOf, statementsOf } from './statements.ts'
import { openJournal, resumeTriggers, triggersOf } from './triggers.ts'

/** A deadlock with work that outlived its test ends that work or us; a few more tries tell. */
const TRIES = 3
const DEADLOCK = 1213
const LOCK_TIMEOUT = 1205

const WHY = 'it looks at every table'

/**
 * Takes what is in the database (or in the template) as the baseline. A reset then is one round trip that finds
 * out what is dirty, and a second one, if anything is, that puts it right.
 */
export async function prepare(connection: Connection, program: Program): Promise<Resetter> {
  const { schema, plan, mark, lockTimeoutMs } = program
  const flavor = await flavorOf(connection)
  const database = await currentDatabase(connection)
  const proof = mark === undefined ? [] : [await guard(connection, database, mark, { current: true })]
  const options = { lockTimeoutMs }

  const run = async (statements: readonly string[], describe: (index: number) => Action | undefined) => {
    try {
      return (await batch(connection, [...proof, ...statements], options)).slice(proof.length)
    } catch (error) {
      throw await explain(connection, program, error, (index) => describe(index - proof.length))
    }
  }

  await run([], () => undefined)
  await resumeTriggers(connection, database)
  const triggers = await triggersOf(connection)
  const names = new Set(
    plan.order.flat().flatMap((id) => schema.tables.find((table) => table.id === id)?.name ?? []),
  )
  const ours = triggers.filter(({ table }) => names.has(table))
  if (ours.length > 0) await openJournal(connection)
  const baseline = await baselineOf(connection, program)
  const detect = detector(program, baseline, { flavor, journal: ours.length > 0, database })

  const look = async (): Promise<Found> => {
    const results = await run(detect.statements, (index) => lookedAt(detect.statements[index]))
    return detect.read(results)
  }

  const resetOnce = async (): Promise<Outcome> => {
    const found = await look()
    if (found.triggersPending) await resumeTriggers(connection, database)
    if (found.dirty.length === 0) return { detector: 'scan', why: WHY, dirty: [], ran: [] }
    const { actions, ran } = actionsFor(program, baseline, ours, { found, database })
    if (actions.length === 0) return { detector: 'scan', why: WHY, dirty: found.dirty, ran: [] }
    try {
      const results = await run(
        actions.map(({ sql }) => sql),
        (index) => actions[index],
      )
      return outcomeOf(found, ran, actions, results)
    } catch (error) {
      // Best now, while it is known who dropped them; the next reset finds them in the journal otherwise.
      if (ours.length > 0) await resumeTriggers(connection, database).catch(() => {})
      throw error
    }
  }

  await startingPositions()
  return {
    async reset() {
      for (let tried = 1; ; tried += 1) {
        try {
          return await resetOnce()
        } catch (error) {
          const isDeadlock =
            error instanceof ResetError && error.cause instanceof BatchError && error.cause.errno === DEADLOCK
          if (!isDeadlock || tried === TRIES) throw error
        }
      }
    },
    detect: async () => [...(await look()).dirty],
    close: () => baseline.close(),
  }

  /**
   * Puts the counters where the plan has them, which `spread` moves. A MariaDB sequence keeps values in reserve,
   * which only shows after it has been restarted: then the first NEXTVAL moves what can be seen.
   */
  async function startingPositions(): Promise<void> {
    const { moved } = await look()
    const statements = plan.steps.flatMap((step) => {
      if (step.kind !== 'restart') return []
      const isDue = moved.has(step.sequence) || sequenceOf(schema, step.sequence).kind === 'sequence'
      return isDue ? statementsOf(schema, step, baseline.database) : []
    })
    if (statements.length > 0)
      await run(statements, (index) => ({ sql: statements[index] ?? '', step: undefined, counts: false }))
  }
}

function lookedAt(sql: string | undefined): Action | undefined {
  return sql === undefined ? undefined : { sql, step: undefined, counts: false }
}

/** The error of a failed reset: step, table, statement, cause, and what to do. */
async function explain(
  connection: Connection,
  program: Program,
  error: unknown,
  describe: (index: number) => Action | undefined,
): Promise<Error> {
  if (!(error instanceof BatchError)) return error instanceof Error ? error : new Error(String(error))
  const action = error.index === undefined ? undefined : describe(error.index)
  if (error.index === 0 && program.mark !== undefined) {
    return new RefusedError(`The reset was refused: the database does not carry the mark ${program.mark}.`, {
      next: 'Somebody took the mark away or the connection leads elsewhere now; lease or attach again.',
      cause: error,
    })
  }
  const step = action?.step === undefined ? undefined : program.plan.steps[action.step]
  const failed = {
    step: step === undefined ? stepInWords(action?.sql) : describeStep(program.schema, step),
    table: step === undefined ? undefined : tableOfStep(program.schema, step),
    statement: action?.sql,
  }
  return new ResetError(failed, error, await remedy(connection, error))
}

function stepInWords(sql: string | undefined): string {
  if (sql?.startsWith('LOCK TABLES') === true) return 'wait for transactions that have written'
  if (sql === undefined || sql.startsWith('(SELECT') || sql.startsWith('SELECT'))
    return 'find out what is dirty'
  return 'get ready, or tidy up afterwards'
}

async function remedy(
  connection: Connection,
  { errno, index }: BatchError,
): Promise<{ code?: ErrorCode; next: string }> {
  switch (errno) {
    case LOCK_TIMEOUT:
    case DEADLOCK:
      return { code: 'blocked', next: await blockersOf(connection) }
    case 1146: // ER_NO_SUCH_TABLE
    case 1054: // ER_BAD_FIELD_ERROR
      return {
        code: 'plan',
        next: 'A test changed the schema: lease or attach again to take the new one into account.',
      }
    case 1242: // ER_SUBQUERY_NO_1_ROW, raised by a check
      return {
        next: 'A kept table refers to rows that a test made: keep what it refers to as well, or reset it too.',
      }
    case 1044: // ER_DBACCESS_DENIED_ERROR
    case 1142: // ER_TABLEACCESS_DENIED_ERROR
    case 1227: // ER_SPECIFIC_ACCESS_DENIED_ERROR
      return { next: 'Grant the user what the step needs; `afresh doctor` lists the privileges.' }
    default:
      return index === undefined
        ? { code: 'server', next: 'The server or the connection went away; the next reset starts over.' }
        : { next: 'Mend the cause and reset again: the next reset finds what this one left undone.' }
  }
}
