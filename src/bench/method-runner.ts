import {
  ANYWHERE,
  benchTables,
  type MethodId,
  type Shape,
  type StatementMethod,
} from '../engine/bench-dialect.ts'
import type { Connection } from '../engine/connection.ts'
import type { Engine } from '../engine/engine.ts'
import type { BenchDatabase } from './bench-server.ts'
import { methodById } from './methods.ts'
import type { StorageMetrics } from './storage-metrics.ts'

/** A method to empty the tables of a database, ready to run. */
export interface MethodRunner {
  /** The connection to the database with the rows. */
  connection(): Connection
  /** Resets the tables to their initial state, before rows are written. */
  renew(): Promise<void>
  /**
   * Empties the tables.
   *
   * @param until the `performance.now()` at which loops give up
   * @returns the share of rows that were deleted: 1 unless it gave up
   */
  run(until: number): Promise<number>
}

/** What to measure, and where. */
export interface MethodContext {
  readonly engine: Engine
  readonly benchDatabase: BenchDatabase
  readonly shape: Shape
  readonly rowsPerTable: number
  readonly metrics: StorageMetrics
  /** Processor time that the server has used so far, in milliseconds, where it can be read. */
  readonly cpuMs?: (() => number) | undefined
}

const BATCH: Readonly<Partial<Record<MethodId, number>>> = {
  'batch-100': 100,
  'batch-1000': 1000,
  'batch-10000': 10_000,
}
const ORM_KEYS = 100

/** @returns a phrase if the engine does not support the method for these tables */
export function methodRunnerFor(method: MethodId, context: MethodContext): MethodRunner | string {
  const { engine, benchDatabase, shape } = context
  const { connection } = benchDatabase
  const base = {
    connection: () => connection,
    renew: async () => {
      await connection.query(engine.bench.renew(shape).join(';\n'))
    },
  }
  const size = BATCH[method]
  if (size !== undefined) return { ...base, run: (until) => inBatches(context, size, until) }
  if (method === 'orm-100') return { ...base, run: (until) => byKeys(context, until) }
  if (method === 'clone') return cloning(context)
  // The remaining methods are lists of statements.
  const statements = engine.bench.empty(method as StatementMethod, shape)
  if (statements === undefined) return `${engine.title} has no ${methodById(method).label} for these tables`
  const sql = statements.join(';\n')
  return {
    ...base,
    async run() {
      await connection.query(sql)
      return 1
    },
  }
}

function cloning({ engine, benchDatabase: { cloned } }: MethodContext): MethodRunner | string {
  if (cloned === undefined) return `${engine.title} has no templates`
  return {
    connection: cloned.connection,
    renew: cloned.again,
    async run() {
      await cloned.again()
      return 1
    },
  }
}

/** One statement, round trip and transaction per range of keys. */
async function inBatches(
  { benchDatabase, shape, rowsPerTable }: MethodContext,
  size: number,
  until: number,
): Promise<number> {
  const tables = benchTables(shape)
  for (const [done, table] of tables.entries()) {
    // At least one statement: without it, a client cannot know that there are no rows.
    for (let from = 1; from === 1 || from <= rowsPerTable; from += size) {
      if (performance.now() > until)
        return share(done * rowsPerTable + from - 1, tables.length * rowsPerTable)
      await benchDatabase.connection.query(ANYWHERE.deleteRange(table, from, from + size - 1))
    }
  }
  return 1
}

/** Deletes as an ORM does: fetches keys, then deletes 100 of them per statement. */
async function byKeys({ benchDatabase, shape, rowsPerTable }: MethodContext, until: number): Promise<number> {
  const { connection } = benchDatabase
  let deleted = 0
  for (const table of benchTables(shape)) {
    for (;;) {
      if (performance.now() > until) return share(deleted, benchTables(shape).length * rowsPerTable)
      const keys = (await connection.query(ANYWHERE.someKeys(table, ORM_KEYS))).map(({ id }) => Number(id))
      if (keys.length === 0) break
      await connection.query(ANYWHERE.deleteKeys(table, keys))
      deleted += keys.length
    }
  }
  return 1
}

/** Never 0: some rows were deleted before it gave up. */
function share(done: number, all: number): number {
  return Math.max(1, done) / Math.max(1, all)
}
