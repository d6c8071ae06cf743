import { AfreshError } from '../../errors.ts'
import { tablesOfStep } from '../../plan/plan.ts'
import { compareDefinitions, type Difference, differenceText } from '../../schema/difference.ts'
import type { SequenceId, SubjectId, Table, TableId } from '../../schema/schema.ts'
import { tableOf } from '../../schema/schema.ts'
import type { Row } from '../connection.ts'
import type { Baseline } from './baseline.ts'
import { type Database, resultCodeOf } from './driver.ts'
import { positionsIn, seqOf } from './sequences.ts'
import { integritySql, isDerived, isDirtySql } from './statements.ts'

export interface Detector {
  /** A text that changes with every write, by any connection. */
  changeToken(): string
  /** Whether nothing was written since `markClean`, by reading a few counters. */
  isUntouched(): boolean
  /** Scans for differences from the baseline. Throws `AfreshError` (`plan`) if the schema changed. */
  dirty(): SubjectId[]
  /** The sequences that are not at their baseline positions. */
  movedSequences(): SequenceId[]
  /** The definitions that differ from those of the baseline. */
  schemaChanges(): readonly Difference[]
  /** The indexes that do not match the rows that they index. */
  outOfSync(): TableId[]
  /** Declares the current content to be the baseline. Call it in the transaction that established that. */
  markClean(): void
}

/** The number of conditions per statement; SQLite compounds at most 500 selects. */
const CHUNK = 100

export function detectorOf(db: Database, baseline: Baseline): Detector {
  const { schema, plan } = baseline
  const { derived, plain } = watchedTables(baseline)
  const scans = chunksOf(plain, CHUNK).map((tables) => ({
    tables,
    find: db.prepare(scanSql(tables, baseline)),
  }))
  const ranked = new Set(derived.filter((table) => hasRank(db, table)))
  const restarts = plan.steps.flatMap((step) => (step.kind === 'restart' ? [step] : []))
  const names = new Map(schema.sequences.map((sequence) => [sequence.id, sequence.name]))
  const catalog = catalogOf(db)
  const readStamp = stampReader(db)
  let settled: string | undefined
  let seenSchema = schemaVersion(db)

  const outOfSync = () =>
    derived.filter((table) => !matches(db, integritySql(table, ranked.has(table)))).map(({ id }) => id)
  const astray = () => {
    const positions = positionsIn(db)
    return restarts
      .filter(({ sequence, to }) => (positions.get(names.get(sequence) ?? '') ?? 0n) !== seqOf(to))
      .map(({ sequence }) => sequence)
  }
  return {
    changeToken: readStamp,
    schemaChanges: () => compareDefinitions(catalog, catalogOf(db)),
    isUntouched: () => readStamp() === settled,
    dirty() {
      const version = schemaVersion(db)
      if (version !== seenSchema) refuse(compareDefinitions(catalog, catalogOf(db)))
      seenSchema = version
      return [
        ...scans.flatMap(({ tables, find }) => find().map(({ ordinal }) => idAt(tables, ordinal))),
        ...outOfSync(),
        ...astray(),
      ]
    },
    movedSequences: astray,
    outOfSync,
    markClean() {
      settled = readStamp()
      seenSchema = schemaVersion(db)
    },
  }
}

function watchedTables({ schema, plan }: Baseline): { derived: Table[]; plain: Table[] } {
  const tables = [...new Set(plan.steps.flatMap(tablesOfStep))].map((id) => tableOf(schema, id))
  return { derived: tables.filter(isDerived), plain: tables.filter((table) => !isDerived(table)) }
}

function scanSql(tables: readonly Table[], { generation, rows }: Baseline): string {
  return tables
    .map(
      (table, index) =>
        `SELECT ${index} AS ordinal WHERE ${isDirtySql(table, generation, rows.get(table.id) ?? 0n)}`,
    )
    .join('\nUNION ALL ')
}

function idAt(tables: readonly Table[], index: unknown): TableId {
  const table = tables[Number(index)]
  if (table === undefined) throw new Error(`no table at ${String(index)}`)
  return table.id
}

/**
 * Combines all values that change with a write.
 * - `total_changes()` counts every row that this connection inserted, updated or deleted, also by triggers,
 *   foreign key actions and unfiltered DELETEs (https://sqlite.org/c3ref/total_changes.html). Changes that
 *   were rolled back stay counted, which costs a needless scan. Rows removed by REPLACE are not counted, but
 *   the row that replaces them is.
 * - `data_version` changes when another connection or process commits
 *   (https://sqlite.org/pragma.html#pragma_data_version).
 * - `schema_version` changes with every definition, and with VACUUM, which may renumber rows.
 * - `sqlite_sequence` is read itself: an INSERT OR IGNORE whose row is ignored advances it without a counted
 *   change.
 */
function stampReader(db: Database): () => string {
  const [counter] = db.all(`SELECT 1 FROM main.sqlite_master WHERE name = 'sqlite_sequence'`)
  const reads = [
    'SELECT total_changes() AS value',
    'PRAGMA main.data_version',
    'PRAGMA main.schema_version',
    ...(counter === undefined
      ? []
      : [`SELECT group_concat(quote(name) || quote(seq)) AS value FROM main.sqlite_sequence`]),
  ].map((sql) => db.prepare(sql))
  return () => reads.map((read) => String(onlyValue(read()))).join('\n')
}

function schemaVersion(db: Database): unknown {
  return onlyValue(db.all('PRAGMA main.schema_version'))
}

function onlyValue(rows: readonly Row[]): unknown {
  return Object.values(rows[0] ?? {})[0]
}

/** Definitions by kind and name, without the tables in which ANALYZE stores statistics. */
function catalogOf(db: Database): ReadonlyMap<string, unknown> {
  const rows = db.all(`SELECT type || ' ' || name AS object, sql FROM main.sqlite_master
    WHERE name NOT LIKE 'sqlite\\_stat%' ESCAPE '\\'`)
  return new Map(rows.map(({ object, sql }) => [String(object), sql]))
}

function refuse(changes: readonly Difference[]): void {
  if (changes.length === 0) return
  const texts = changes.map(differenceText)
  throw new AfreshError('plan', `The schema changed since the baseline was taken: ${texts.join(', ')}.`, {
    next: 'Undo the change in the test that made it, or call `attach` again on a database that is at its baseline.',
  })
}

/** FTS5 has a hidden column `rank`; FTS3 and FTS4 have none. */
function hasRank(db: Database, { name }: Table): boolean {
  return (
    db.all(`SELECT 1 FROM pragma_table_xinfo(?, 'main') WHERE name = 'rank' AND hidden = 1`, [name]).length >
    0
  )
}

/** Whether an integrity check passes; it fails with SQLITE_CORRUPT_VTAB. */
function matches(db: Database, check: string): boolean {
  try {
    db.run(check)
    return true
  } catch (error) {
    if (resultCodeOf(error) === 'SQLITE_CORRUPT') return false
    throw error
  }
}

function chunksOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}
