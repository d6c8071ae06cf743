import type { Row } from '../connection.ts'

/** A SQLite database, independent of the driver. Integers are `bigint`s. */
export interface Database {
  all(sql: string, values?: readonly unknown[]): Row[]
  /** Reads row by row, in constant memory. */
  iterate(sql: string): Iterable<Row>
  /** Returns the number of changed rows, without those changed by foreign keys and triggers. */
  run(sql: string, values?: readonly unknown[]): number
  /** Compiles a statement once, to be run often. */
  prepare(sql: string): (values?: readonly unknown[]) => Row[]
  exec(sql: string): void
  close(): void
}

/** The common part of `node:sqlite` and `better-sqlite3`. */
export interface Handle {
  prepare(sql: string): Statement
  exec(sql: string): unknown
  close(): unknown
  function(...args: never[]): unknown
}

interface Statement {
  all(...values: unknown[]): unknown[]
  run(...values: unknown[]): { readonly changes: number | bigint }
  /** Absent in `node:sqlite` before Node 22.13. */
  iterate?(...values: unknown[]): Iterable<unknown>
  /** `better-sqlite3`: whether the statement returns rows; if not, it rejects `all`. */
  readonly reader?: boolean
  /** `better-sqlite3` */
  safeIntegers?(on: boolean): unknown
  /** `node:sqlite` */
  setReadBigInts?(on: boolean): unknown
  /** `node:sqlite` from Node 24.1 */
  setReturnArrays?(on: boolean): unknown
}

/** Checks the shape, so that no driver need be installed. */
export function isHandle(client: unknown): client is Handle {
  if (typeof client !== 'object' || client === null) return false
  const methods: Record<string, unknown> = { ...pick(client, ['prepare', 'exec', 'close', 'function']) }
  return Object.values(methods).every((method) => typeof method === 'function')
}

function pick(client: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, Reflect.get(client, name)]))
}

export function over(handle: Handle): Database {
  const compile = (sql: string): Statement => {
    const statement = handle.prepare(sql)
    if (statement.reader !== false) statement.safeIntegers?.(true)
    statement.setReadBigInts?.(true)
    statement.setReturnArrays?.(false)
    return statement
  }
  const rowsOf = (statement: Statement, values: readonly unknown[]): Row[] => {
    if (statement.reader !== false) return statement.all(...values) as Row[]
    statement.run(...values)
    return []
  }
  return {
    all: (sql, values = []) => rowsOf(compile(sql), values),
    iterate(sql) {
      const statement = compile(sql)
      return (statement.iterate?.() ?? statement.all()) as Iterable<Row>
    },
    run: (sql, values = []) => Number(handle.prepare(sql).run(...values).changes),
    prepare(sql) {
      const statement = compile(sql)
      return (values = []) => rowsOf(statement, values)
    },
    exec(sql) {
      handle.exec(sql)
    },
    close() {
      handle.close()
    },
  }
}

/** SQLite's primary result code; `undefined` for other errors. */
export function resultCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('errcode' in error && typeof error.errcode === 'number') return NAMES[error.errcode & 0xff]
  if ('code' in error && typeof error.code === 'string') return /^SQLITE_[A-Z]+/.exec(error.code)?.[0]
  return undefined
}

/** The primary result codes that afresh handles (https://sqlite.org/rescode.html). */
const NAMES: Readonly<Record<number, string>> = { 5: 'SQLITE_BUSY', 6: 'SQLITE_LOCKED', 11: 'SQLITE_CORRUPT' }
