import { randomInt } from 'node:crypto'
import type { SubjectId } from '../../schema/schema.ts'
import type { Connection, Row } from '../connection.ts'
import type { Program } from '../resetter.ts'
import type { Baseline } from './baseline.ts'
import { createRoutine } from './create-routine.ts'
import { DEFINITION_COUNTS } from './definition-counts.ts'
import { deleteDetectorsSql, pruneDetectors } from './detector-rows.ts'
import { markWritten, snapshotStatements } from './detector-snapshot.ts'
import { flavorOf } from './flavor-of.ts'
import { literal } from './quote.ts'
import { PHASE } from './routine.ts'
import type { Store } from './routine-store.ts'
import { batch, callRoutine, inSeconds, type Setting } from './session.ts'
import { type TrackedTable, trackedTables } from './tracked-tables.ts'
import type { Trigger } from './triggers.ts'

export interface DetectionResult {
  /** See `bodyOf` in `routine.ts`. */
  readonly state: 'clean' | 'dirty' | 'changed' | 'needs-client' | 'unreliable'
  /** Tables and sequences that may be dirty. */
  readonly due: readonly SubjectId[]
  readonly ran: readonly Ran[]
  /** The rows of `DEFINITION_COUNTS` before the call, and how many of them were resets' statements. */
  readonly definitions: { readonly counts: readonly Row[]; readonly done: number }
}

export interface Ran {
  readonly step: number
  readonly of: TrackedTable
  readonly truncated: boolean
  readonly rows: number
}

export interface CounterDetectorInput {
  readonly program: Program
  readonly baseline: Baseline
  readonly triggers: readonly Trigger[]
  readonly database: string
  /** SQL expression: 1, or an error if the database is not afresh's to change. */
  readonly proof: string
}

/** Creates the routine and its tables; call `snapshot` next. Throws if a privilege is missing. */
export async function openCounterDetector(
  connection: Connection,
  input: CounterDetectorInput,
): Promise<CounterDetector> {
  const { program, database, proof } = input
  const flavor = await flavorOf(connection)
  const { store, settings } = await createRoutine(connection)
  await pruneDetectors(connection, store)
  // Exact as a JavaScript number; `randomInt` takes ranges below 2^48.
  const id = randomInt(1, 2 ** 47)
  const tracked = trackedTables(program)
  const hasUncountedCascades = (await connection.query(flavor.watch.unseenCascades)).length > 0
  const snapshot = snapshotStatements({ ...input, id, flavor, store, tracked, hasUncountedCascades })
  const argumentsSql = `${id} * ${proof}, ${literal(database)}`
  const lockTimeout = inSeconds(program.lockTimeoutMs)
  return new CounterDetector(connection, {
    id,
    store,
    settings,
    tracked,
    snapshot,
    argumentsSql,
    lockTimeout,
  })
}

interface OpenDetector {
  readonly id: number
  readonly store: Store
  /** The settings that the routine changes. */
  readonly settings: readonly Setting[]
  readonly tracked: readonly TrackedTable[]
  readonly snapshot: readonly string[]
  /** The first arguments of the routine. */
  readonly argumentsSql: string
  /** In seconds. */
  readonly lockTimeout: number
}

/** Detects the writes to one database by the server's counters, and runs the routine that resets it. */
export class CounterDetector {
  /** Query for the number of statements among `definitions` that resets have run or are about to run. */
  readonly ownStatements: string
  readonly #connection: Connection
  readonly #open: OpenDetector

  constructor(connection: Connection, open: OpenDetector) {
    this.#connection = connection
    this.#open = open
    this.ownStatements = `SELECT SUM(announced) AS own FROM ${open.store.detectors}`
  }

  /** Later calls find all writes after the call of `snapshot`, and the subjects that `findDirty` returns. */
  async snapshot(findDirty: () => Promise<readonly SubjectId[]>): Promise<void> {
    const { id, store, tracked, snapshot } = this.#open
    await batch(this.#connection, snapshot)
    const dirty = new Set(await findDirty())
    const indexes = tracked.flatMap(({ subjects }, index) =>
      subjects.some((subject) => dirty.has(subject)) ? [index] : [],
    )
    if (indexes.length > 0) await batch(this.#connection, [markWritten(store, id, indexes)])
  }

  /** One round trip. Restores what it finds if `acts`. Throws `CallError`. */
  async call({ acts }: { readonly acts: boolean }): Promise<DetectionResult> {
    const { store, settings, tracked, argumentsSql, lockTimeout } = this.#open
    const { row, before } = await callRoutine(
      this.#connection,
      `CALL ${store.procedure}(${argumentsSql}, ${acts ? 1 : 0}, ${lockTimeout})`,
      settings,
      [`SELECT SUM(finished) AS done FROM ${store.detectors}`, DEFINITION_COUNTS],
    )
    return {
      ...resultOf(row, tracked),
      definitions: { counts: before[1]?.rows ?? [], done: Number(before[0]?.rows[0]?.done ?? 0) },
    }
  }

  /** Until the next `snapshot`, calls report `unreliable`. */
  async close(): Promise<void> {
    const { id, store } = this.#open
    await batch(this.#connection, deleteDetectorsSql(store, [id]))
  }
}

function resultOf(row: Row, tracked: readonly TrackedTable[]): Omit<DetectionResult, 'definitions'> {
  const due = JSON.parse(String(row.due ?? '[]')) as [tableIndex: number][]
  const ran = JSON.parse(String(row.ran ?? '[]')) as [number, number, number, number][]
  return {
    state: String(row.state) as DetectionResult['state'],
    due: due.flatMap(([index]) => tracked[index]?.subjects ?? []),
    ran: ran.flatMap(([step, index, phase, rows]) => {
      const of = tracked[index]
      return of === undefined ? [] : [{ step, of, truncated: phase === PHASE.truncate, rows }]
    }),
  }
}
