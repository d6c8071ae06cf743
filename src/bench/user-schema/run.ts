/**
 * In: a copy of the user's schema.
 * Out: times of each method to empty its tables.
 * Called by `bench/user-schema.ts`, for `bench --url`.
 */
import type { Connection } from '../../engine/connection.ts'
import { messageOf } from '../../errors.ts'
import { randomFrom } from '../../generate/random.ts'
import { plural } from '../../plan/describe.ts'
import { matchTables } from '../../schema/filter.ts'
import { type Table, type TableId, tableOf } from '../../schema/schema.ts'
import { type BenchResults, type Cell, findCell } from '../results.ts'
import { caseIdOf } from './case-id.ts'
import type { Clone } from './clone.ts'
import { openContext, type SchemaBenchContext } from './context.ts'
import { type EmptyingSql, reasonNotToMeasure } from './emptying-sql.ts'
import { Eta } from './eta.ts'
import type { SchemaBenchOptions } from './options.ts'
import type { RowStock, RowSupply } from './row-stock.ts'
import { schemaResults } from './schema-results.ts'
import { SCHEMA_METHODS, TableBench } from './table-bench.ts'
import { locksOn } from './table-locks.ts'

/** Measures the tables of a copy one by one. */
export class SchemaBenchRun {
  readonly #context: SchemaBenchContext
  readonly #options: SchemaBenchOptions
  readonly #began = Date.now()
  /** The requested tables, with their case ids. */
  readonly #cases: ReadonlyMap<TableId, string>
  /** Tables whose turn is over. */
  readonly #passed = new Set<TableId>()
  readonly #cells: Cell[] = []
  readonly #eta = new Eta()
  #knowsLocks: boolean
  /** The requested tables that are left to measure. */
  readonly #measured: readonly TableId[]

  private constructor(context: SchemaBenchContext, options: SchemaBenchOptions) {
    this.#context = context
    this.#options = options
    this.#knowsLocks = Object.keys(context.server.locks).length > 0
    const { schema } = context
    const wanted = options.tables === undefined ? undefined : matchTables(schema, options.tables).tables
    const tables = schema.tables.filter(({ id }) => wanted?.has(id) !== false)
    this.#cases = new Map(tables.map((table) => [table.id, caseIdOf(table, tables)]))
    this.#measured = tables.flatMap((table) =>
      this.#reasonAgainst(table) === undefined && this.#missing(table).length > 0 ? [table.id] : [],
    )
  }

  /** Empties the copy. */
  static async open(clone: Clone, options: SchemaBenchOptions): Promise<SchemaBenchRun> {
    const { context, populated } = await openContext(clone, options)
    const run = new SchemaBenchRun(context, options)
    await run.#empty(populated)
    return run
  }

  /**
   * Measures the requested tables, children first: at a table's turn, the tables that reference it are empty.
   * Keeps rows of all of them beforehand, because emptying one table may empty others.
   */
  async measure(): Promise<void> {
    const { schema, graph, rows } = this.#context
    const needed = new Set(this.#measured.flatMap((id) => [id, ...graph.ancestors(id)]))
    this.#options.onProgress(`generates rows for ${plural(needed.size, 'table')}`)
    await rows.fill(needed)
    const stocks = new Map<TableId, RowStock | string>()
    for (const id of this.#measured) stocks.set(id, await this.#keep(tableOf(schema, id)))
    await this.#tidy()
    for (const id of graph.order.flat()) {
      const table = tableOf(schema, id)
      this.#options.signal?.throwIfAborted()
      if (this.#cases.has(id))
        await this.#measureTable(table, this.#reasonAgainst(table) ?? stocks.get(id) ?? '')
      this.#passed.add(id)
      if (needed.has(id)) await this.#tidy()
    }
  }

  async finish(): Promise<BenchResults> {
    const results = this.#results(true)
    await this.#options.onBlock(results)
    return results
  }

  async #keep(table: Table): Promise<RowStock | string> {
    try {
      return await this.#context.rows.keep(table)
    } catch (error) {
      return this.#reasonIn(error)
    }
  }

  async #measureTable(table: Table, stock: RowStock | string): Promise<void> {
    const { budgetMs } = this.#options
    const { rows } = this.#context
    const sizes = this.#missing(table)
    if (sizes.length === 0) return
    if (typeof stock === 'string') return this.#note(this.#leftOut(table, sizes, stock))
    let done = 0
    try {
      const emptying = await this.#emptyingSqlOf(table)
      const supply = await rows.supply(stock, { renew: emptying.renew, wanted: Math.max(...sizes), budgetMs })
      const bench = new TableBench(
        {
          server: this.#context.server.id,
          case: this.#caseOf(table),
          connection: this.#connection,
          observer: this.#context.clone.observer,
          readOne: `SELECT 1 FROM ${this.#context.syntax.qualified(table)} LIMIT 1`,
          metrics: this.#context.metrics,
          emptying,
          supply,
          count: this.#countOf(table),
        },
        { ...this.#options, random: randomFrom(this.#options.seed) },
      )
      await this.#noteLocks(table, emptying, supply)
      for (const size of sizes) {
        this.#options.onProgress(this.#line(table, size))
        const began = performance.now()
        const cells = await bench.measure(size)
        this.#eta.record(size, performance.now() - began)
        await this.#note(cells)
        done += 1
      }
    } catch (error) {
      this.#options.signal?.throwIfAborted()
      await this.#note(this.#leftOut(table, sizes.slice(done), await this.#reasonIn(error)))
    }
    await rows.drop(stock.seed)
  }

  /** Measures the locks on the first table that supports both methods: they are the same on all others. */
  async #noteLocks(table: Table, emptying: EmptyingSql, supply: RowSupply): Promise<void> {
    const { clone, syntax, server } = this.#context
    if (this.#knowsLocks || typeof emptying.truncate !== 'string') return
    const locks = await locksOn(clone, { table, sql: syntax.qualified(table), emptying, supply })
    this.#knowsLocks = locks !== undefined
    Object.assign(server.locks, locks)
  }

  /** The sizes at which an earlier run lacks a method, or a method failed. */
  #missing(table: Table): number[] {
    const { previous, rows } = this.#options
    const key = { server: this.#context.server.id, case: this.#caseOf(table) }
    const outcome = (count: number, method: string) =>
      previous === undefined ? undefined : findCell(previous, { ...key, rows: count, method })?.outcome
    return rows.filter((count) =>
      SCHEMA_METHODS.some((method) => [undefined, 'failed'].includes(outcome(count, method))),
    )
  }

  #reasonAgainst(table: Table): string | undefined {
    return reasonNotToMeasure(table) ?? this.#context.unfit.get(table.id)
  }

  /** Tries TRUNCATE, because only the server can say whether it allows it. */
  async #emptyingSqlOf({ id }: Table): Promise<EmptyingSql> {
    const emptying = this.#context.emptying.of(id)
    try {
      await this.#connection.query(emptying.renew)
      return emptying
    } catch (error) {
      const impossible = await this.#reasonIn(error)
      return { ...emptying, truncate: { impossible }, renew: emptying.delete }
    }
  }

  /** Empties unneeded tables, including those filled by triggers. With checks on, referenced rows stay. */
  async #tidy(): Promise<void> {
    const { clone, schema, graph, isUnchecked } = this.#context
    const coming = isUnchecked ? [] : this.#measured.filter((id) => !this.#passed.has(id))
    const needed = new Set(coming.flatMap((id) => graph.ancestors(id)))
    const { populated } = await clone.engine.inspectState(this.#connection, schema)
    await this.#empty(populated.filter((id) => !needed.has(id)))
  }

  /** Referenced tables first: emptying them empties others too. */
  async #empty(ids: readonly TableId[]): Promise<void> {
    const { graph, schema, emptying } = this.#context
    const leftToEmpty = new Set(ids.filter((id) => reasonNotToMeasure(tableOf(schema, id)) === undefined))
    for (const id of graph.order.flat().toReversed()) {
      if (!leftToEmpty.has(id)) continue
      const { renew, renewed } = emptying.of(id)
      // The measurement of the table reports the failure.
      await this.#connection.query(renew).catch((error) => this.#reasonIn(error))
      for (const candidate of renewed) leftToEmpty.delete(candidate)
    }
  }

  /** `undefined` if other tables inherit from it, because their rows would be counted too. */
  #countOf(table: Table): string | undefined {
    const { schema, syntax } = this.#context
    if (schema.tables.some(({ inherits }) => inherits.includes(table.id))) return undefined
    return `SELECT COUNT(*) AS n FROM ${syntax.qualified(table)}`
  }

  /** The server's message. Throws if the connection is lost, because no other table can be measured then. */
  async #reasonIn(error: unknown): Promise<string> {
    await this.#connection.query('SELECT 1')
    return messageOf(error).replaceAll(/\s+/g, ' ')
  }

  #leftOut(table: Table, sizes: readonly number[], reason: string): Cell[] {
    const key = { server: this.#context.server.id, case: this.#caseOf(table) }
    return sizes.flatMap((rows) =>
      SCHEMA_METHODS.map((method) => ({ ...key, rows, method, outcome: 'left out' as const, reason })),
    )
  }

  async #note(cells: readonly Cell[]): Promise<void> {
    this.#cells.push(...cells)
    await this.#options.onBlock(this.#results(false))
  }

  #line(table: Table, rows: number): string {
    const all = this.#measured.length
    const tablesLeft = this.#measured.filter((id) => !this.#passed.has(id)).length
    return `${all - tablesLeft + 1}/${all}  ${table.label}, ${plural(rows, 'row')}${this.#eta.describe(tablesLeft)}`
  }

  #caseOf({ id, label }: Table): string {
    return this.#cases.get(id) ?? label
  }

  get #connection(): Connection {
    return this.#context.clone.connection
  }

  #results(complete: boolean): BenchResults {
    const measured = { began: this.#began, cases: this.#cases, cells: this.#cells, complete }
    return schemaResults(this.#context, this.#options, measured)
  }
}
