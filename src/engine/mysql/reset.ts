import { AfreshError, messageOf, ResetError, withCleanUp, withUndo } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import type { Outcome, Program, Resetter } from '../resetter.ts'
import { refuseUnknown } from './assert-schema.ts'
import { baselineOf } from './baseline.ts'
import { type CounterDetector, type DetectionResult, openCounterDetector } from './counter-detector.ts'
import { refuseCounters, whyNotCounters } from './counters.ts'
import { DEFINITION_COUNTS } from './definition-counts.ts'
import { detector, type Found } from './detect.ts'
import { DEADLOCK, READ_ONLY } from './errno.ts'
import { flavorOf } from './flavor-of.ts'
import { introspect } from './introspect.ts'
import { currentDatabase, guard, markCheckSql } from './ownership.ts'
import { type Action, actionsFor, outcomeOf } from './program.ts'
import { DELETED_INSTEAD, REASON_COUNTERS, REASON_SCAN, WHY_SCAN } from './reasons.ts'
import { failedWith, isNoRoom, resetErrorFrom } from './reset-error.ts'
import { schemaWatch } from './schema-watch.ts'
import { BatchError, batch, CallError } from './session.ts'
import { sequenceOf, statementsOf } from './statements.ts'
import { outcomeOfCounts } from './tracked-tables.ts'
import { openSuspended, resumeTriggers, triggersOf } from './triggers.ts'

/** A deadlock with a transaction that outlived its test ends one of the two: a few retries decide. */
const TRIES = 3

/**
 * Takes the content of the database (or of the template) as the baseline. With the server's counters, a reset
 * is one round trip. Otherwise, and for steps that a routine on the server cannot run, one round trip finds
 * what is dirty, and a second one, if anything is, restores it.
 */
export async function prepare(connection: Connection, program: Program): Promise<Resetter> {
  const { schema, plan, claim, lockTimeoutMs } = program
  const flavor = await flavorOf(connection)
  const database = await currentDatabase(connection)
  const proof = claim === undefined ? [] : [await guard(connection, database, claim, { current: true })]
  const options = { lockTimeoutMs }

  const run = async (statements: readonly string[], describe: (index: number) => Action | undefined) => {
    try {
      return (await batch(connection, [...proof, ...statements], options)).slice(proof.length)
    } catch (error) {
      throw await resetErrorFrom(connection, program, error, (index) => describe(index - proof.length))
    }
  }

  await run([], () => undefined)
  const isResumed = await resumeTriggers(connection, database)
  const triggers = await triggersOf(connection)
  const names = new Set(
    plan.order.flat().flatMap((id) => schema.tables.find((table) => table.id === id)?.name ?? []),
  )
  const suspended = triggers.filter(({ table }) => names.has(table))
  if (suspended.length > 0) await openSuspended(connection)
  const reason = program.detector === 'scan' ? 'it was asked for' : await whyNotCounters(connection, program)
  if (reason !== undefined && program.detector === 'counters') refuseCounters(reason)
  const baseline = await baselineOf(connection, program)
  const detect = detector(program, baseline, { flavor, suspends: suspended.length > 0, database })

  // Triggers that were suspended when the schema was read belong to it.
  const definitions = schemaWatch(connection, {
    ...{ database, proof, isCopy: program.template !== undefined },
    schema: isResumed ? await introspect(connection) : schema,
  })
  /** Notes of the reset in progress. */
  const notes: string[] = []
  const checkDefinitions = async (ownStatements?: string) => {
    notes.push(...(await definitions.check(ownStatements)))
  }
  const look = async (): Promise<Found & { readonly isMoved: boolean }> => {
    const statements = [DEFINITION_COUNTS, ...detect.statements]
    const [counts, ...results] = await run(statements, (index) => lookedAt(statements[index]))
    const found = detect.read(results)
    refuseUnknown(found.unknown)
    // With counters, `resetByCounters` checks for changed definitions.
    return {
      ...found,
      isMoved: chosen?.counters === undefined && definitions.moved(counts?.rows ?? []) !== undefined,
    }
  }

  /** If definitions changed, reports the change rather than its consequences. */
  const explained = async (cause: unknown): Promise<unknown> => {
    definitions.doubt()
    // The driver's error for a lost connection, at any point of a reset, needs an explanation.
    const failure =
      cause instanceof AfreshError || cause instanceof BatchError ? cause : new BatchError(undefined, cause)
    const error =
      failure instanceof BatchError
        ? await resetErrorFrom(connection, program, failure, () => undefined)
        : failure
    if (!(error instanceof ResetError) || error.code === 'plan' || error.code === 'blocked') return error
    return checkDefinitions(chosen?.counters?.ownStatements).then(
      () => {
        definitions.doubt()
        return error
      },
      (found) =>
        found instanceof AfreshError && (found.code === 'plan' || failedWith(error, READ_ONLY))
          ? found
          : error,
    )
  }

  /** TRUNCATE creates new files; if the server has no room for them, rows are deleted. */
  const resetByScan = async (why: string): Promise<Outcome> => {
    try {
      return await resetOnce(why, { mayTruncate: true })
    } catch (error) {
      if (!isNoRoom(error)) throw error
      return deletingInstead()
    }
  }

  const deletingInstead = async (): Promise<Outcome> => {
    const outcome = await resetOnce(WHY_SCAN.full, { mayTruncate: false })
    return { ...outcome, notes: [DELETED_INSTEAD] }
  }

  const resetOnce = async (
    why: string,
    { mayTruncate }: { readonly mayTruncate: boolean },
  ): Promise<Outcome> => {
    const found = await look()
    if (found.isMoved) await checkDefinitions()
    if (found.triggersPending) await resumeTriggers(connection, database)
    if (found.dirty.length === 0) return { detector: 'scan', why, dirty: [], ran: [] }
    const { actions, ran } = actionsFor(program, baseline, suspended, { found, database, mayTruncate })
    if (actions.length === 0) return { detector: 'scan', why, dirty: found.dirty, ran: [] }
    try {
      const results = await run(
        actions.map(({ sql }) => sql),
        (index) => actions[index],
      )
      definitions.ran(actions.map(({ sql }) => sql))
      return outcomeOf(why, found, ran, actions, results)
    } catch (error) {
      // Now it is known that this reset dropped them; otherwise the next reset finds them as suspended.
      if (suspended.length > 0) await resumeTriggers(connection, database).catch(() => {})
      throw error
    }
  }

  const allDirty = async () => (await look()).dirty

  const call = async (counters: CounterDetector, acts: boolean) => {
    try {
      return await counters.call({ acts })
    } catch (error) {
      throw await resetErrorFrom(connection, program, error, (step) => ({
        sql: error instanceof CallError ? (error.sql ?? '') : '',
        step,
        counts: false,
      }))
    }
  }

  const resetByCounters = async (counters: CounterDetector): Promise<Outcome> => {
    let found: DetectionResult
    try {
      found = await call(counters, true)
    } catch (error) {
      if (!isNoRoom(error)) throw error
      const outcome = await deletingInstead()
      chosen = await withSnapshot(counters)
      return outcome
    }
    const { counts, done } = found.definitions
    const moved = isDoubtful ? 'rows' : definitions.moved(counts, done)
    if (moved !== undefined) {
      isDoubtful = true
      await checkDefinitions(counters.ownStatements)
      isDoubtful = moved === 'rows'
    }
    if (!isDoubtful && (found.state === 'clean' || found.state === 'dirty'))
      return outcomeOfCounts(program, found)
    const isCounting =
      found.state !== 'unreliable' || (await whyNotCounters(connection, program)) === undefined
    const outcome = await afterCounters(found)
    isDoubtful = false
    if (isCounting) chosen = await withSnapshot(counters)
    // Otherwise its counts would look right again as soon as the server resumes counting.
    else await counters.close()
    return outcome
  }

  /** Scans if necessary; the outcome includes what the routine restored. */
  const afterCounters = async (found: DetectionResult): Promise<Outcome> => {
    if (found.state !== 'clean' && found.state !== 'dirty') return resetByScan(WHY_SCAN[found.state])
    const first = outcomeOfCounts(program, found)
    const { dirty, ran } = await resetByScan(WHY_SCAN.changed)
    return { ...first, dirty: [...new Set([...first.dirty, ...dirty])], ran: [...first.ran, ...ran] }
  }

  // Definitions changed: what a reset did since then is unreliable.
  let isDoubtful = false
  let chosen: Chosen | undefined
  chosen = await withUndo(
    async () => {
      await startingPositions()
      const found = await chooseDetector()
      await definitions.begin(found.counters?.ownStatements)
      return found
    },
    () => baseline.close(),
  )
  return {
    async reset() {
      for (let tried = 1; ; tried += 1) {
        try {
          const outcome = await (chosen?.counters === undefined
            ? resetByScan(chosen?.why ?? REASON_SCAN)
            : resetByCounters(chosen.counters))
          const allNotes = [...(outcome.notes ?? []), ...notes.splice(0)]
          return allNotes.length === 0 ? outcome : { ...outcome, notes: allNotes }
        } catch (cause) {
          const error = await explained(cause)
          // The cause is gone: the other transaction, or the read-only mode, which the check reverted.
          const mayGoOn = failedWith(error, DEADLOCK) || failedWith(error, READ_ONLY)
          if (!mayGoOn || tried === TRIES) throw error
        }
      }
    },
    async detect(by) {
      if (by === 'counters' && chosen?.counters === undefined) refuseCounters(chosen?.why ?? REASON_SCAN)
      if (by === 'scan' || chosen?.counters === undefined) return [...(await allDirty())]
      const { state, due } = await call(chosen.counters, false)
      return state === 'clean' || state === 'dirty' ? [...due] : [...(await allDirty())]
    },
    async close() {
      await withCleanUp(
        async () => chosen?.counters?.close(),
        () => baseline.close(),
      )
    },
  }

  async function chooseDetector(): Promise<Chosen> {
    if (reason !== undefined) return { counters: undefined, why: `${REASON_SCAN}: ${reason}` }
    const owned =
      claim === undefined ? '1' : await markCheckSql(connection, database, claim, { current: true })
    let counters: CounterDetector
    try {
      counters = await openCounterDetector(connection, {
        program,
        baseline,
        triggers: suspended,
        database,
        proof: owned,
      })
    } catch (error) {
      if (!(error instanceof BatchError || error instanceof AfreshError)) throw error
      return withoutWatch(error)
    }
    return withSnapshot(counters)
  }

  /** Falls back to scans if the server has no room for the counters, or they are gone. */
  async function withSnapshot(counters: CounterDetector): Promise<Chosen> {
    try {
      await counters.snapshot(allDirty)
      return { counters, why: REASON_COUNTERS }
    } catch (error) {
      // The first error matters; what cannot be deleted now is pruned after the session has ended.
      await counters.close().catch(() => {})
      if (!(error instanceof BatchError) || error.index === undefined) throw error
      return withoutWatch(error)
    }
  }

  function withoutWatch(error: Error): Chosen {
    const refusal = `nothing can be kept in \`afresh_registry\` (${messageOf(error)})`
    if (program.detector === 'counters') refuseCounters(refusal)
    return { counters: undefined, why: `${REASON_SCAN}: ${refusal}` }
  }

  /**
   * Moves the counters to the positions of the plan, which `spread` changes. A MariaDB sequence caches
   * values: only after a restart does the first NEXTVAL move the visible position.
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

interface Chosen {
  readonly counters: CounterDetector | undefined
  readonly why: string
}

function lookedAt(sql: string | undefined): Action | undefined {
  return sql === undefined ? undefined : { sql, step: undefined, counts: false }
}
