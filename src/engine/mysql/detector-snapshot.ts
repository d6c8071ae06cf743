import { graphOf, reachable } from '../../schema/graph.ts'
import type { Schema } from '../../schema/schema.ts'
import type { Program } from '../resetter.ts'
import type { Baseline } from './baseline.ts'
import { cascades, fileOf, fingerprintOfTables } from './counters.ts'
import { COUNTS } from './counts-cost.ts'
import { deleteSnapshotsSql } from './detector-rows.ts'
import type { Flavor } from './flavor.ts'
import { inserts, stored, text } from './insert-rows.ts'
import { literal, tableIn } from './quote.ts'
import { PHASE } from './routine.ts'
import type { Store } from './routine-store.ts'
import { type RoutineStep, routineSteps } from './steps.ts'
import type { TrackedTable } from './tracked-tables.ts'
import type { Trigger } from './triggers.ts'

export interface SnapshotInput {
  /** Id of the detector. */
  readonly id: number
  readonly program: Program
  readonly baseline: Baseline
  readonly triggers: readonly Trigger[]
  readonly database: string
  readonly flavor: Flavor
  readonly store: Store
  readonly tracked: readonly TrackedTable[]
  /** Whether InnoDB's cascades are not counted like other writes. */
  readonly hasUncountedCascades: boolean
}

/** Statements that store what the routine needs: its steps, and the current counts as those already seen. */
export function snapshotStatements(input: SnapshotInput): string[] {
  const { id, store, tracked } = input
  const steps = routineSteps(tracked, input)
  const truncated = truncatedTables(steps, tracked)
  const refilled = refilledTables(input, truncated)
  const print = fingerprintOfTables(input.flavor.watch.tables, input.database, {
    cut: truncated,
    filled: refilled,
  })
  return [
    ...deleteSnapshotsSql(store, [id]),
    storeDetector(input, truncated),
    ...storeSteps(input, steps, { print, refilled }),
    ...storeCascades(input),
    print,
    `UPDATE ${store.detectors} SET print = @afresh_print WHERE id = ${id}`,
    'SET @afresh_print = NULL',
    ...storeCounts(input),
  ]
}

/** Makes the next calls report the tables with these indexes as written. */
export function markWritten({ seen }: Store, id: number, indexes: readonly number[]): string {
  return `UPDATE ${seen} SET inserts = -1 WHERE detector = ${id} AND table_index IN (${indexes.join(', ')})`
}

/** The tables that a reset may truncate. */
function truncatedTables(steps: readonly RoutineStep[], tracked: readonly TrackedTable[]): string[] {
  return steps.flatMap(({ phase, tableIndex }) =>
    phase === PHASE.truncate ? (tracked[tableIndex]?.table?.name ?? []) : [],
  )
}

/** Those of the truncated tables that have rows in the baseline. */
function refilledTables({ program, tracked }: SnapshotInput, truncated: readonly string[]): string[] {
  const populated = new Set(program.plan.populated)
  return tracked.flatMap(({ name, table }) =>
    table !== undefined && truncated.includes(name) && populated.has(table.id) ? [name] : [],
  )
}

/** Keeps `announced` and `finished`, which other sessions subtract from the server's counts. */
function storeDetector({ id, database, flavor, store }: SnapshotInput, truncated: readonly string[]): string {
  const recognizesOwn = truncated.every((name) => fileOf(database, name) !== undefined)
  return `INSERT INTO ${store.detectors} (id, owner, database_name, written, recognizes_own) SELECT ${id}, CONNECTION_ID(), ${literal(database)},
          ${flavor.watch.catalog}, ${recognizesOwn ? 1 : 0} FROM ${flavor.watch.status}
          ON DUPLICATE KEY UPDATE written = VALUES(written), owner = VALUES(owner), announced = finished`
}

const STEP_COLUMNS = [
  ...[
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
]

function storeSteps(
  input: SnapshotInput,
  steps: readonly RoutineStep[],
  { print, refilled }: { readonly print: string; readonly refilled: readonly string[] },
): string[] {
  const { id, database, store } = input
  const query = (phase: number, sql: string) => [id, -1, phase, 0, 0, 0, 'NULL', 'NULL', 'NULL', literal(sql)]
  return inserts(store.steps, STEP_COLUMNS, [
    ...steps.map(({ tableIndex, phase, step, sub, writeKinds, counts, unless, run }) => [
      ...[id, tableIndex, phase, step, sub, writeKinds, text(counts), text(unless), ...stored(run)],
    ]),
    query(PHASE.print, print),
    query(PHASE.movedCounters, movedCountersQuery(input)),
    ...(refilled.length === 0 ? [] : [query(PHASE.refilled, haveRows(database, refilled))]),
  ])
}

/** A statement that sets `@afresh_moved` to the tables whose AUTO_INCREMENT is not where the plan wants it. */
function movedCountersQuery({ id, flavor, store: { seen } }: SnapshotInput): string {
  return `SELECT JSON_ARRAYAGG(table_index) INTO @afresh_moved FROM (
      SELECT s.table_index FROM ${flavor.watch.tableStats} AS i STRAIGHT_JOIN ${seen} AS s ON s.detector = ${id} AND s.file = i.name
      WHERE s.next IS NOT NULL AND i.autoinc <> s.next AND NOT (i.autoinc = 0 AND s.next = 1)
      UNION ALL SELECT table_index FROM ${seen} WHERE detector = ${id} AND file IS NULL AND next IS NOT NULL) AS m`
}

/** A statement that sets `@afresh_is` to 1 if none of these tables is empty. */
function haveRows(database: string, names: readonly string[]): string {
  const each = names.map((name) => `EXISTS (SELECT 1 FROM ${tableIn(database, name)})`)
  return `SELECT ${each.join(' AND ')} INTO @afresh_is`
}

/** For each table, the tables that InnoDB's cascades may write to, uncounted, directly or indirectly. */
function storeCascades({ id, program, store, tracked, hasUncountedCascades }: SnapshotInput): string[] {
  if (!hasUncountedCascades) return []
  const rows = descendants(program.schema, tracked, id)
  return inserts(store.cascades, ['detector', 'table_index', 'child'], rows)
}

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

function storeCounts({ id, database, store: { seen }, tracked }: SnapshotInput): string[] {
  const rows = tracked.map(({ name, table, next, many }, index) => {
    // Each partition has its own file and counter.
    const file = table?.traits.includes('partitioned') ? undefined : fileOf(database, name)
    return [id, literal(name), index, text(file), String(next ?? 'NULL'), many, 0, 0]
  })
  return [
    ...inserts(seen, ['detector', 'name', 'table_index', 'file', 'next', 'many', 'inserts', 'others'], rows),
    `UPDATE ${seen} AS s JOIN ${COUNTS} AS c ON c.object_type = 'TABLE' AND c.object_schema = ${literal(database)}
          AND c.object_name = s.name SET s.inserts = c.count_insert, s.others = c.count_update + c.count_delete
          WHERE s.detector = ${id}`,
  ]
}
