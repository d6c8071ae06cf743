import type { Connection, Row } from '../connection.ts'
import { DEFINITION_COUNT_NAMES } from '../mysql/definition-counts.ts'
import type { Result } from '../mysql/mysql-connection.ts'
import { OWN_STATEMENTS_TABLE, type OwnStatements, type Sums } from '../mysql/own-statements.ts'
import { REGISTRY } from '../mysql/ownership.ts'
import { literal } from '../mysql/quote.ts'
import { FAILURE_METRICS, tellsInserts } from './userstat.ts'

/** Statements that change or hide rows without counting them. `LOCK TABLES`: its writes are counted when it ends. */
const UNCOUNTED: readonly string[] = [
  'Com_create_index',
  'Com_create_sequence',
  'Com_create_table',
  'Com_drop_index',
  'Com_drop_sequence',
  'Com_drop_table',
  'Com_lock_tables',
  'Com_optimize',
  'Com_rename_table',
  'Com_repair',
  'Com_truncate',
]
const FLUSH = 'Com_flush'
const SET = 'Com_set_option'

const NAMES = [...new Set([...DEFINITION_COUNT_NAMES, ...UNCOUNTED, FLUSH, SET])]

/** Rows of a table that were changed since the statistics were last flushed. */
export interface Changes {
  readonly changed: number
  /** Those that were inserted; 0 where the server does not tell. */
  readonly inserted: number
}

export interface UserstatSnapshot {
  readonly isCounting: boolean
  /** Whether the server knows this session: a restart forgets it. */
  readonly isPresent: boolean
  /** What others sent, at most: resets in other sessions may be sending their own. */
  readonly uncounted: number
  readonly settings: number
  /** Rows of `DEFINITION_COUNTS`, and how many ALTER statements of resets they contain. */
  readonly definitions: { readonly counts: readonly Row[]; readonly done: number }
  readonly flushes: number
  /** Changes whenever an insert fails; `undefined` if the server does not tell. */
  readonly failures: string | undefined
  /** Changed rows of afresh's own table, which only a flush lowers. */
  readonly ownTableChanges: number
  readonly tables: ReadonlyMap<string, Changes>
}

/** A snapshot that also tells what resets in other sessions are sending. */
export interface FullUserstatSnapshot extends UserstatSnapshot {
  /** What others sent at least. */
  readonly lowerBounds: { readonly uncounted: number; readonly settings: number }
  /** Whether a reset in another session is sending statements that would otherwise be those of others. */
  readonly isUnderWay: boolean
}

/** The queries of a snapshot, to be sent together, in this order, and the functions that read their results. */
export interface SnapshotQueries {
  readonly statements: readonly string[]
  /** One more, for a full snapshot. */
  readonly last: string
  read(results: readonly Result[]): UserstatSnapshot
  readFull(results: readonly Result[]): FullUserstatSnapshot
}

export async function snapshotQueries(
  connection: Connection,
  own: OwnStatements,
  database: string,
): Promise<SnapshotQueries> {
  const inserted = (await tellsInserts(connection)) ? 'rows_inserted' : '0'
  const statements = [
    own.finishedQuery,
    `SHOW GLOBAL STATUS WHERE variable_name IN (${NAMES.map(literal).join(', ')})`,
    `SELECT name, enabled, time_enabled, count, @@GLOBAL.userstat AS counting FROM information_schema.innodb_metrics
     WHERE name IN (${FAILURE_METRICS.map(literal).join(', ')})`,
    `SELECT table_name AS name, rows_changed AS changed, ${inserted} AS inserted, BINARY table_schema = ${literal(database)} AS own
     FROM information_schema.table_statistics WHERE rows_changed > 0 AND (BINARY table_schema = ${literal(database)}
       OR (table_schema = ${literal(REGISTRY)} AND table_name = ${literal(OWN_STATEMENTS_TABLE)}))`,
  ]
  return {
    statements,
    last: own.announcedQuery,
    read: snapshotFrom,
    readFull(results) {
      const snapshot = snapshotFrom(results)
      const finished = sumsFrom(results[0]?.rows[0])
      const announced = sumsFrom(results.at(-1)?.rows[0])
      const boundOf = (kind: 'uncounted' | 'settings') => snapshot[kind] + finished[kind] - announced[kind]
      return {
        ...snapshot,
        lowerBounds: { uncounted: boundOf('uncounted'), settings: boundOf('settings') },
        isUnderWay: finished.altered !== announced.altered || finished.uncounted !== announced.uncounted,
      }
    },
  }
}

function snapshotFrom(results: readonly Result[]): UserstatSnapshot {
  const [finishedRows = [], counts = [], metrics = [], tables = []] = results.map(({ rows }) => rows)
  const finished = sumsFrom(finishedRows[0])
  const total = (names: readonly string[]) =>
    counts.reduce(
      (sum, { Variable_name: name, Value: value }) =>
        sum + (names.includes(String(name)) ? Number(value) : 0),
      0,
    )
  return {
    isCounting: Number(metrics[0]?.counting) === 1,
    isPresent: Number(finishedRows[0]?.present) > 0,
    uncounted: total(UNCOUNTED) - finished.uncounted,
    settings: total([SET]) - finished.settings,
    definitions: { counts, done: finished.altered },
    flushes: total([FLUSH]),
    failures: failuresFrom(metrics),
    ...changesFrom(tables),
  }
}

function sumsFrom(row: Row | undefined): Sums {
  return {
    altered: Number(row?.altered),
    uncounted: Number(row?.uncounted),
    settings: Number(row?.settings),
  }
}

function failuresFrom(metrics: readonly Row[]): string | undefined {
  const isComplete =
    metrics.length === FAILURE_METRICS.length && metrics.every(({ enabled }) => Number(enabled) === 1)
  if (!isComplete) return undefined
  return metrics.map(({ name, time_enabled, count }) => `${name} ${time_enabled} ${count}`).join()
}

function changesFrom(rows: readonly Row[]): Pick<UserstatSnapshot, 'ownTableChanges' | 'tables'> {
  const tables = new Map<string, Changes>()
  let ownTableChanges = 0
  for (const { name, changed, inserted, own } of rows) {
    if (Number(own) === 1) tables.set(String(name), { changed: Number(changed), inserted: Number(inserted) })
    else ownTableChanges = Number(changed)
  }
  return { ownTableChanges, tables }
}
