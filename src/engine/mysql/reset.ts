import { AfreshError, messageOf, ResetError, withCleanUp, withUndo } from '../../errors.ts'
import type { Connection, Outcome, Program, Resetter } from '../engine.ts'
import { baselineOf } from './baseline.ts'
import { refuseChanges, refuseUnknown } from './changes.ts'
import { flavorOf } from './connection.ts'
import { refuseCounters, whyNotCounters } from './counters.ts'
import { detector, type Found } from './detect.ts'
import { DEADLOCK } from './errno.ts'
import { explain } from './failure.ts'
import { currentDatabase, guard, proofOf } from './ownership.ts'
import { type Action, actionsFor, outcomeOf } from './program.ts'
import { BatchError, batch, CallError } from './session.ts'
import { sequenceOf, statementsOf } from './statements.ts'
import { openSuspended, resumeTriggers, triggersOf } from './triggers.ts'
import { type Findings, openWatch, type Watch } from './watch.ts'

/** A deadlock with work that outlived its test ends that work or us; a few more tries tell. */
const TRIES = 3

const IT_LOOKS = 'it looks at every table'
const IT_COUNTS = 'the server counts the writes to each table'

/**
 * Takes what is in the database (or in the template) as the baseline. Where the server's counters can be had, a
 * reset is one round trip. Else, and for what a routine on the server may not do, it is one that finds out what is
 * dirty, and a second one, if anything is, that puts it right.
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
  if (ours.length > 0) await openSuspended(connection)
  const reason = program.detector === 'scan' ? 'it was asked for' : await whyNotCounters(connection, program)
  if (reason !== undefined && program.detector === 'counters') refuseCounters(reason)
  const baseline = await baselineOf(connection, program)
  const detect = detector(program, baseline, { flavor, suspends: ours.length > 0, database })

  const look = async (): Promise<Found> => {
    const results = await run(detect.statements, (index) => lookedAt(detect.statements[index]))
    const found = detect.read(results)
    refuseUnknown(found.unknown)
    return found
  }

  const resetByScan = async (why: string): Promise<Outcome> => {
    const found = await look()
    if (found.triggersPending) await resumeTriggers(connection, database)
    if (found.dirty.length === 0) return { detector: 'scan', why, dirty: [], ran: [] }
    const { actions, ran } = actionsFor(program, baseline, ours, { found, database })
    if (actions.length === 0) return { detector: 'scan', why, dirty: found.dirty, ran: [] }
    try {
      const results = await run(
        actions.map(({ sql }) => sql),
        (index) => actions[index],
      )
      return outcomeOf(why, found, ran, actions, results)
    } catch (error) {
      // Best now, while it is known who dropped them; the next reset finds them among the suspended ones otherwise.
      if (ours.length > 0) await resumeTriggers(connection, database).catch(() => {})
      throw error
    }
  }

  const allDirty = async () => (await look()).dirty

  const call = async (watch: Watch, acts: boolean) => {
    try {
      return await watch.call({ acts })
    } catch (error) {
      throw await explain(connection, program, error, (step) => ({
        sql: error instanceof CallError ? (error.sql ?? '') : '',
        step,
        counts: false,
      }))
    }
  }

  const resetByCounters = async (watch: Watch): Promise<Outcome> => {
    const found = await call(watch, true)
    if (found.state === 'clean' || found.state === 'dirty') return counted(program, found)
    const isCounting = found.state !== 'blind' || (await whyNotCounters(connection, program)) === undefined
    if (found.state === 'changed') await refuseChanges(connection, schema)
    const outcome = await resetByScan(WHY_SCAN[found.state])
    if (isCounting) chosen = await armed(watch)
    // Its counts would look right again as soon as the server counts on.
    else await watch.close()
    return outcome
  }

  let chosen = await withUndo(
    async () => {
      await startingPositions()
      return chooseDetector()
    },
    () => baseline.close(),
  )
  return {
    async reset() {
      for (let tried = 1; ; tried += 1) {
        try {
          return await (chosen.watch === undefined ? resetByScan(chosen.why) : resetByCounters(chosen.watch))
        } catch (error) {
          const isDeadlock =
            error instanceof ResetError && error.cause instanceof BatchError && error.cause.errno === DEADLOCK
          if (!isDeadlock || tried === TRIES) throw error
        }
      }
    },
    async detect(by) {
      if (by === 'counters' && chosen.watch === undefined) refuseCounters(chosen.why)
      if (by === 'scan' || chosen.watch === undefined) return [...(await allDirty())]
      const { state, due } = await call(chosen.watch, false)
      return state === 'clean' || state === 'dirty' ? [...due] : [...(await allDirty())]
    },
    async close() {
      await withCleanUp(
        async () => chosen.watch?.close(),
        () => baseline.close(),
      )
    },
  }

  async function chooseDetector(): Promise<Chosen> {
    if (reason !== undefined) return { watch: undefined, why: `${IT_LOOKS}: ${reason}` }
    const owned = mark === undefined ? '1' : await proofOf(connection, database, mark, { current: true })
    let watch: Watch
    try {
      watch = await openWatch(connection, { program, baseline, triggers: ours, database, proof: owned })
    } catch (error) {
      if (!(error instanceof BatchError || error instanceof AfreshError)) throw error
      return withoutWatch(error)
    }
    return armed(watch)
  }

  /** Without the watch where the server has no room for it, or it is gone. */
  async function armed(watch: Watch): Promise<Chosen> {
    try {
      await watch.arm(allDirty)
      return { watch, why: IT_COUNTS }
    } catch (error) {
      // What matters is why it could not be armed; what cannot be deleted goes when the session has ended.
      await watch.close().catch(() => {})
      if (!(error instanceof BatchError) || error.index === undefined) throw error
      return withoutWatch(error)
    }
  }

  function withoutWatch(error: Error): Chosen {
    const refusal = `nothing can be kept in \`afresh_registry\` (${messageOf(error)})`
    if (program.detector === 'counters') refuseCounters(refusal)
    return { watch: undefined, why: `${IT_LOOKS}: ${refusal}` }
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

interface Chosen {
  readonly watch: Watch | undefined
  readonly why: string
}

const WHY_SCAN = {
  changed: `${IT_LOOKS}: some were truncated or written anew, which is not counted`,
  'by hand': `${IT_LOOKS}: a trigger would fire, or history is kept, in one that was written`,
  blind: `${IT_LOOKS}: the server did not count all writes`,
} as const

/** What was wrong by what there was to do: a count alone tells of rows that were rolled back, too. */
function counted({ plan }: Program, { ran }: Findings): Outcome {
  const touched = ran.filter(({ step, rows, truncated }) => {
    const kind = plan.steps[step]?.kind
    return truncated || kind === 'restart' || (kind !== 'check' && rows > 0)
  })
  const dirty = touched.flatMap(({ step, of, truncated }) => {
    const made = plan.steps[step]
    if (made?.kind === 'restart') return [made.sequence]
    return truncated ? of.subjects : of.subjects.slice(0, 1)
  })
  const names = new Set(touched.map(({ of }) => of.name))
  return {
    detector: 'counters',
    why: IT_COUNTS,
    dirty: [...new Set(dirty)],
    ran: ran
      .filter(({ of }) => names.has(of.name))
      .map(({ step, truncated, rows }) => {
        const kind = plan.steps[step]?.kind
        const counts = !truncated && kind !== 'restart' && kind !== 'check'
        return { step, rows: counts ? rows : undefined, truncated: truncated && kind === 'delete' }
      })
      .sort((a, b) => a.step - b.step),
  }
}

function lookedAt(sql: string | undefined): Action | undefined {
  return sql === undefined ? undefined : { sql, step: undefined, counts: false }
}
