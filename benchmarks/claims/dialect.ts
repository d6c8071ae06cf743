import { mariadb, mysql } from './dialects/mysql.ts'
import { postgres } from './dialects/postgres.ts'
import { sqlite } from './dialects/sqlite.ts'

/** The SQL of the experiments that differs between engines. */
export interface Dialect {
  readonly title: string
  /** The program to paste the statements into, and the line that enables its timer, if it needs one. */
  readonly shell: { readonly name: string; readonly timer: string | undefined }
  /** Inserts numbered rows, generated on the server, into a table of `tableSql`. */
  fill(table: string, rows: number): string
  /** Empties the table and shrinks it to the size of a new one. */
  renew(table: string): string | undefined
  /** Limits how long this session waits for locks. */
  limitLockWaits(seconds: number): readonly string[]
  /** Begins a transaction that keeps the snapshot of its first query. */
  readonly beginSnapshot: string
  /** The current position in bytes of the journal (WAL, redo log); `undefined` if no SQL returns it. */
  readonly journal: string | undefined
  /** Gives the server time to update that figure, if it is late. */
  readonly waitForJournal: string | undefined
  /** The size of the table's file in bytes. */
  size(table: string): string
  /** Requests that unused space is returned. */
  compact(table: string): string
  /** Appended to CREATE TABLE: disables background cleanup. */
  readonly withoutCleanup: string
  /** The kinds of tables with a generated `id`, the usual one first. */
  readonly counterKinds: readonly CounterKind[]
  /** TRUNCATE that restarts counters, if the plain one does not. */
  restart(table: string): string | undefined
  /**
   * Inserts a row into `fired` for every deleted row, or for a TRUNCATE. The server may refuse the latter.
   */
  trigger(table: string, event: 'DELETE' | 'TRUNCATE'): readonly string[]
  /** Empties `parent`, which `child` refers to, with TRUNCATE. */
  readonly truncateParent: readonly string[]
  /** Creates and drops a user. */
  readonly user: { make(name: string, password: string): string; drop(name: string): string }
  /** The privilege that permits TRUNCATE, for GRANT. */
  readonly truncatePrivilege: string
}

export interface CounterKind {
  readonly label: string
  create(table: string, start?: number): string
}

export type EngineId = 'postgres' | 'mysql' | 'mariadb' | 'sqlite'

export const DIALECTS: Readonly<Record<EngineId, Dialect>> = { postgres, mysql, mariadb, sqlite }

export function tableSql(table: string): string {
  return `CREATE TABLE ${table} (id integer PRIMARY KEY, name varchar(40) NOT NULL)`
}

/** A few rows as literals. */
export function rowsSql(table: string, rows = 3): string {
  const values = Array.from({ length: rows }, (_, index) => `(${index + 1}, 'row ${index + 1}')`)
  return `INSERT INTO ${table} VALUES ${values.join(', ')}`
}

export function countSql(table: string): string {
  return `SELECT COUNT(*) AS n FROM ${table}`
}
