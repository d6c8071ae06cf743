import { randomInt } from 'node:crypto'
import { graphOf, reachable } from '../../schema/graph.ts'
import type { Schema, SubjectId } from '../../schema/schema.ts'
import type { Connection, Row } from '../connection.ts'
import type { Program } from '../resetter.ts'
import type { Baseline } from './baseline.ts'
import { COUNTS, cascades, fileOf, fingerprintOfTables } from './counters.ts'
import { createRoutine } from './create-routine.ts'
import { DEFINITION_COUNTS } from './definition-counts.ts'
import { flavorOf } from './flavor-of.ts'
import { inserts, stored, text } from './insert-rows.ts'
import { literal, tableIn } from './quote.ts'
import { PHASE } from './routine.ts'
import type { Store } from './routine-store.ts'
import { batch, callRoutine, inSeconds } from './session.ts'
import { routineSteps, type TrackedTable, trackedTables } from './steps.ts'
import type { Trigger } from './triggers.ts'

/** Detects the writes to one database by the server's counters, and runs the routine that resets it. */
export interface CounterDetector {
  /** Later calls find all writes after the call of `snapshot`, and the subjects that `look` returns. */
  snapshot(look: () => Promise<readonly SubjectId[]>): Promise<void>
  /** One round trip. Restores what it finds if `acts`. Throws `CallError`. */
  call(options: { readonly acts: boolean }): Promise<DetectionResult>
  /** Query for the number of statements among `definitions` that resets have run or are about to run. */
  readonly ownStatements: string
  /** Until the next `snapshot`, calls report `unreliable`. */
  close(): Promise<void>
}

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
  const { schema } = program
  const flavor = await flavorOf(connection)
  const { store, settings } = await createRoutine(connection)
  const { detectors, seen } = store
  await prune(connection, store)
  // Exact as a JavaScript number; `randomInt` takes ranges below 2^48.
  const id = randomInt(1, 2 ** 47)
  const tracked = trackedTables(program)
  const unseen = (await connection.query(flavor.watch.unseenCascades)).length > 0
  const steps = routineSteps(tracked, input)
  const cut = steps.flatMap(({ phase, tableIndex }) =>
    phase === PHASE.truncate ? (tracked[tableIndex]?.table?.name ?? []) : [],
  )
  const populated = new Set(program.plan.populated)
  const filled = tracked.flatMap(({ name, table }) =>
    table !== undefined && cut.includes(name) && populated.has(table.id) ? [name] : [],
  )
  const recognizesOwn = cut.every((name) => fileOf(database, name) !== undefined)
  const texts = {
    print: fingerprintOfTables(flavor.watch.tables, database, { cut, filled }),
    moved: `SELECT JSON_ARRAYAGG(table_index) INTO @afresh_moved FROM (
      SELECT s.table_index FROM ${flavor.watch.tableStats} AS i STRAIGHT_JOIN ${seen} AS s ON s.detector = ${id} AND s.file = i.name
      WHERE s.next IS NOT NULL AND i.autoinc <> s.next AND NOT (i.autoinc = 0 AND s.next = 1)
      UNION ALL SELECT table_index FROM ${seen} WHERE detector = ${id} AND file IS NULL AND next IS NOT NULL) AS m`,
  }
  const setUp = [
    ...inserts(
      store.steps,
      [
        'detector',
        'table_index',
        'phase',
        'step',
        'sub',
        'write_kinds',
        'counts',
        'unless',
        'short_sql',
        'run',
      ],
      [
        ...steps.map(({ tableIndex, phase, step, sub, writeKinds, counts, unless, run }) => [
          ...[id, tableIndex, phase, step, sub, writeKinds, text(counts), text(unless), ...stored(run)],
        ]),
        [id, -1, PHASE.print, 0, 0, 0, 'NULL', 'NULL', 'NULL', literal(texts.print)],
        [id, -1, PHASE.movedCounters, 0, 0, 0, 'NULL', 'NULL', 'NULL', literal(texts.moved)],
        ...(filled.length === 0
          ? []
          : [[id, -1, PHASE.refilled, 0, 0, 0, 'NULL', 'NULL', 'NULL', literal(haveRows(database, filled))]]),
      ],
    ),
    ...(unseen
      ? inserts(store.cascades, ['detector', 'table_index', 'child'], descendants(schema, tracked, id))
      : []),
  ]
  const rows = tracked.map(({ name, table, next, many }, index) => {
    // Each partition has its own file and counter.
    const file = table?.traits.includes('partitioned') ? undefined : fileOf(database, name)
    return [id, literal(name), index, text(file), String(next ?? 'NULL'), many, 0, 0]
  })

  return {
    ownStatements: `SELECT SUM(announced) AS own FROM ${detectors}`,
    async snapshot(look) {
      await batch(connection, [
        ...forgetRows(store, [id]),
        // Keeps `announced` and `finished`, which other sessions subtract from the server's counts.
        `INSERT INTO ${detectors} (id, owner, database_name, written, recognizes_own) SELECT ${id}, CONNECTION_ID(), ${literal(database)},
          ${flavor.watch.catalog}, ${recognizesOwn ? 1 : 0} FROM ${flavor.watch.status}
          ON DUPLICATE KEY UPDATE written = VALUES(written), owner = VALUES(owner), announced = finished`,
        ...setUp,
        texts.print,
        `UPDATE ${detectors} SET print = @afresh_print WHERE id = ${id}`,
        'SET @afresh_print = NULL',
        ...inserts(
          seen,
          ['detector', 'name', 'table_index', 'file', 'next', 'many', 'inserts', 'others'],
          rows,
        ),
        `UPDATE ${seen} AS s JOIN ${COUNTS} AS c ON c.object_type = 'TABLE' AND c.object_schema = ${literal(database)}
          AND c.object_name = s.name SET s.inserts = c.count_insert, s.others = c.count_update + c.count_delete
          WHERE s.detector = ${id}`,
      ])
      const dirty = new Set(await look())
      const indexes = tracked.flatMap(({ subjects }, index) =>
        subjects.some((subject) => dirty.has(subject)) ? [index] : [],
      )
      if (indexes.length > 0) {
        await batch(connection, [
          `UPDATE ${seen} SET inserts = -1 WHERE detector = ${id} AND table_index IN (${indexes.join(', ')})`,
        ])
      }
    },
    async call({ acts }) {
      const seconds = inSeconds(program.lockTimeoutMs)
      const { row, before } = await callRoutine(
        connection,
        `CALL ${store.procedure}(${id} * ${proof}, ${literal(database)}, ${acts ? 1 : 0}, ${seconds})`,
        settings,
        [`SELECT SUM(finished) AS done FROM ${detectors}`, DEFINITION_COUNTS],
      )
      const definitions = { counts: before[1]?.rows ?? [], done: Number(before[0]?.rows[0]?.done ?? 0) }
      const due = (JSON.parse(String(row.due ?? '[]')) as [tableIndex: number][]).flatMap(
        ([index]) => tracked[index]?.subjects ?? [],
      )
      const ran = (JSON.parse(String(row.ran ?? '[]')) as [number, number, number, number][]).flatMap(
        ([step, index, phase, rows]) => {
          const of = tracked[index]
          return of === undefined ? [] : [{ step, of, truncated: phase === PHASE.truncate, rows }]
        },
      )
      return { state: String(row.state) as DetectionResult['state'], due, ran, definitions }
    },
    close: async () => {
      await batch(connection, deleteDetectorsSql(store, [id]))
    },
  }
}

/** A statement that sets `@afresh_is` to 1 if none of these tables is empty. */
function haveRows(database: string, names: readonly string[]): string {
  const each = names.map((name) => `EXISTS (SELECT 1 FROM ${tableIn(database, name)})`)
  return `SELECT ${each.join(' AND ')} INTO @afresh_is`
}

/** For each table, the tables that InnoDB's cascades may write to, uncounted, directly or indirectly. */
function descendants(schema: Schema, tracked: readonly TrackedTable[], id: number): number[][] {
  const indexes = new Map(
    tracked.flatMap(({ table }, index) => (table === undefined ? [] : [[table.id, index]])),
  )
  const { children } = graphOf({ ...schema, foreignKeys: schema.foreignKeys.filter(cascades) })
  return tracked.flatMap(({ table }, tableIndex) =>
    (table === undefined ? [] : reachable([table.id], children)).flatMap((child) => {
      const index = indexes.get(child)
      return index === undefined ? [] : [[id, tableIndex, index]]
    }),
  )
}

function deleteDetectorsSql(store: Store, ids: readonly (number | string)[]): string[] {
  return [...forgetRows(store, ids), `DELETE FROM ${store.detectors} WHERE id IN (${ids.join(', ')})`]
}

function forgetRows({ seen, steps, cascades }: Store, ids: readonly (number | string)[]): string[] {
  return [seen, steps, cascades].map((table) => `DELETE FROM ${table} WHERE detector IN (${ids.join(', ')})`)
}

/** Deletes detectors of ended sessions, and steps of detectors from before the server's last start. */
async function prune(connection: Connection, store: Store): Promise<void> {
  const { detectors, steps } = store
  const ended = await connection.query(
    `SELECT d.id FROM ${detectors} AS d LEFT JOIN information_schema.processlist AS p ON p.id = d.owner WHERE p.id IS NULL
     UNION SELECT s.detector FROM ${steps} AS s LEFT JOIN ${detectors} AS d ON d.id = s.detector WHERE s.table_index = -1 AND d.id IS NULL`,
  )
  if (ended.length > 0)
    await batch(
      connection,
      deleteDetectorsSql(
        store,
        ended.map(({ id }) => String(id)),
      ),
    )
}
