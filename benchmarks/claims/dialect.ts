import { mariadb, mysql } from './dialects/mysql.ts'
import { postgres } from './dialects/postgres.ts'
import { sqlite } from './dialects/sqlite.ts'

/** What differs between the engines in the experiments' SQL. */
export interface Dialect {
  /** For people. */
  readonly title: string
  /** The program that the statements are pasted into, and the line that makes it tell times, where it needs one. */
  readonly shell: { readonly name: string; readonly timer: string | undefined }
  /** Numbered rows into a table of `tableSql`, made on the server. */
  fill(table: string, rows: number): string
  /** The table without rows and as small as a new one. */
  renew(table: string): string | undefined
  /** How long this session waits for locks, at most. */
  patience(seconds: number): readonly string[]
  /** A transaction that goes on seeing what its first query saw. */
  readonly beginSnapshot: string
  /** The bytes that the journal (WAL, redo log) has come to; `undefined` where no SQL tells. */
  readonly journal: string | undefined
  /** Gives the server time to write that figure, where it comes late. */
  readonly rest: string | undefined
  /** The bytes of the table's file. */
  size(table: string): string
  /** Asks for unused space to be given back. */
  compact(table: string): string
  /** Behind CREATE TABLE: nothing in the background gives space back. */
  readonly unattended: string
  /** The kinds of tables whose `id` counts by itself, the usual one first. */
  readonly counting: readonly Counting[]
  /** TRUNCATE that asks for its counters to start again, where the plain one does not. */
  restart(table: string): string | undefined
  /** Writes a row into `fired` for every row deleted, or for a TRUNCATE. The server may refuse the latter. */
  trigger(table: string, event: 'DELETE' | 'TRUNCATE'): readonly string[]
  /** Empties `parent`, which `child` refers to, by TRUNCATE. */
  readonly truncateParent: readonly string[]
  /** Makes a user, and takes it away. */
  readonly user: { make(name: string, password: string): string; drop(name: string): string }
  /** The name for `user` in GRANT, and of what GRANT calls the right to TRUNCATE. */
  readonly truncatePrivilege: string
}

export interface Counting {
  readonly label: string
  create(table: string, start?: number): string
}

export type EngineId = 'postgres' | 'mysql' | 'mariadb' | 'sqlite'

export const DIALECTS: Readonly<Record<EngineId, Dialect>> = { postgres, mysql, mariadb, sqlite }

export function tableSql(table: string): string {
  return `CREATE TABLE ${table} (id integer PRIMARY KEY, name varchar(40) NOT NULL)`
}

/** A few rows by hand. */
export function rowsSql(table: string, rows = 3): string {
  const values = Array.from({ length: rows }, (_, index) => `(${index + 1}, 'row ${index + 1}')`)
  return `INSERT INTO ${table} VALUES ${values.join(', ')}`
}

export function countSql(table: string): string {
  return `SELECT COUNT(*) AS n FROM ${table}`
}
