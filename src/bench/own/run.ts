import type { Connection } from '../../engine/engine.ts'
import type { RowSyntax } from '../../engine/rows.ts'
import { messageOf } from '../../errors.ts'
import { randomFrom } from '../../generate/random.ts'
import { plural } from '../../plan/describe.ts'
import { matchTables } from '../../schema/filter.ts'
import { type Graph, graphOf } from '../../schema/graph.ts'
import { type Schema, type Table, type TableId, tableOf } from '../../schema/schema.ts'
import { OWN_FACTOR } from '../cases.ts'
import { type Gauge, gaugeOf } from '../gauge.ts'
import { machine } from '../machine.ts'
import { type BenchResults, type BenchServer, type Cell, cellAt, joined } from '../results.ts'
import { wayOf } from '../ways.ts'
import type { Clone } from './clone.ts'
import { type Emptying, Emptyings, reasonToKeep } from './emptying.ts'
import { locksOn } from './locks.ts'
import type { OwnOptions } from './options.ts'
import { Pace } from './pace.ts'
import { RowMaker, type Stock, type Supply } from './rows.ts'
import { serverOf } from './server.ts'
import { OWN_WAYS, TableBench } from './table.ts'

/** What is known of the copy before anything is measured. */
interface Ground {
  readonly clone: Clone
  readonly schema: Schema
  readonly graph: Graph
  /** Foreign keys, and triggers where that can be, are off. */
  readonly isUnchecked: boolean
  readonly syntax: RowSyntax
  readonly emptyings: Emptyings
  readonly rows: RowMaker
  readonly gauge: Gauge
  readonly server: BenchServer
  /** Why a table is not measured, by what its copy is like. */
  readonly unfit: ReadonlyMap<TableId, string>
}

/** Measures table after table of a copy. */
export class OwnRun {
  readonly #ground: Ground
  readonly #options: OwnOptions
  readonly #began = Date.now()
  /** The tables that were asked for, with the ids of their cases. */
  readonly #cases: ReadonlyMap<TableId, string>
  /** Those whose turn is over. */
  readonly #passed = new Set<TableId>()
  readonly #cells: Cell[] = []
  readonly #pace = new Pace()
  #knowsLocks: boolean
  /** Those of them that are left to measure. */
  readonly #measured: readonly TableId[]

  private constructor(ground: Ground, options: OwnOptions) {
    this.#ground = ground
    this.#options = options
    this.#knowsLocks = Object.keys(ground.server.locks).length > 0
    const { schema } = ground
    const wanted = options.tables === undefined ? undefined : matchTables(schema, options.tables).tables
    const tables = schema.tables.filter(({ id }) => wanted?.has(id) !== false)
    this.#cases = new Map(tables.map((table) => [table.id, caseOf(table, tables)]))
    this.#measured = tables.flatMap((table) =>
      this.#reasonAgainst(table) === undefined && this.#missing(table).length > 0 ? [table.id] : [],
    )
  }

  /** Empties the copy. */
  static async open(clone: Clone, options: OwnOptions): Promise<OwnRun> {
    const { engine, connection } = clone
    const { rows: syntax } = engine
    if (syntax === undefined) throw new Error(`rows cannot be made up for ${engine.title}`)
    const schema = await engine.introspect(connection)
    const { populated, mayDisableChecks: isUnchecked } = await engine.survey(connection, schema)
    if (isUnchecked) await connection.query(syntax.uncheck)
    const unfit = await engine.bench.silence(connection, schema, isUnchecked)
    const random = randomFrom(options.seed)
    const ground: Ground = {
      clone,
      schema,
      graph: graphOf(schema),
      isUnchecked,
      syntax,
      emptyings: new Emptyings(engine, schema, isUnchecked),
      rows: await RowMaker.open({ engine, connection, schema, isUnchecked, random }, syntax),
      gauge: await gaugeOf(engine, connection),
      server: await serverOf(clone, options.previous),
      unfit,
    }
    const run = new OwnRun(ground, options)
    await run.#empty(populated)
    return run
  }

  /**
   * Every table that was asked for, those that refer to others first: what refers to a table is empty at its turn. Of all
   * of them some rows are kept first, since emptying one may empty others.
   */
  async measure(): Promise<void> {
    const { schema, graph, rows } = this.#ground
    const needed = new Set(this.#measured.flatMap((id) => [id, ...graph.ancestors(id)]))
    this.#options.onProgress(`makes up rows for ${plural(needed.size, 'table')}`)
    await rows.fill(needed)
    const stocks = new Map<TableId, Stock | string>()
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

  async #keep(table: Table): Promise<Stock | string> {
    try {
      return await this.#ground.rows.keep(table)
    } catch (error) {
      return this.#reasonIn(error)
    }
  }

  async #measureTable(table: Table, stock: Stock | string): Promise<void> {
    const { budgetMs } = this.#options
    const { rows } = this.#ground
    const sizes = this.#missing(table)
    if (sizes.length === 0) return
    if (typeof stock === 'string') return this.#note(this.#leftOut(table, sizes, stock))
    let done = 0
    try {
      const emptying = await this.#emptyingOf(table)
      const supply = await rows.supply(stock, { renew: emptying.renew, wanted: Math.max(...sizes), budgetMs })
      const bench = new TableBench(
        {
          server: this.#ground.server.id,
          case: this.#caseOf(table),
          connection: this.#connection,
          observer: this.#ground.clone.observer,
          readOne: `SELECT 1 FROM ${this.#ground.syntax.qualified(table)} LIMIT 1`,
          gauge: this.#ground.gauge,
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
        this.#pace.took(size, performance.now() - began)
        await this.#note(cells)
        done += 1
      }
    } catch (error) {
      this.#options.signal?.throwIfAborted()
      await this.#note(this.#leftOut(table, sizes.slice(done), await this.#reasonIn(error)))
    }
    await rows.drop(stock.seed)
  }

  /** Of the first table that can be emptied by both ways: they are the same on every other. */
  async #noteLocks(table: Table, emptying: Emptying, supply: Supply): Promise<void> {
    const { clone, syntax, server } = this.#ground
    if (this.#knowsLocks || typeof emptying.truncate !== 'string') return
    const locks = await locksOn(clone, { table, sql: syntax.qualified(table), emptying, supply })
    this.#knowsLocks = locks !== undefined
    Object.assign(server.locks, locks)
  }

  /** The sizes that an earlier run does not have of a table, or with a way that failed. */
  #missing(table: Table): number[] {
    const { previous, rows } = this.#options
    const place = { server: this.#ground.server.id, case: this.#caseOf(table) }
    const outcome = (count: number, way: string) =>
      previous === undefined ? undefined : cellAt(previous, { ...place, rows: count, way })?.outcome
    return rows.filter((count) => OWN_WAYS.some((way) => [undefined, 'failed'].includes(outcome(count, way))))
  }

  #reasonAgainst(table: Table): string | undefined {
    return reasonToKeep(table) ?? this.#ground.unfit.get(table.id)
  }

  /** Whether the server lets it be truncated, it has to say itself. */
  async #emptyingOf({ id }: Table): Promise<Emptying> {
    const emptying = this.#ground.emptyings.of(id)
    try {
      await this.#connection.query(emptying.renew)
      return emptying
    } catch (error) {
      const impossible = await this.#reasonIn(error)
      return { ...emptying, truncate: { impossible }, renew: emptying.delete }
    }
  }

  /** Empties what nobody needs any more, whoever wrote it: triggers do. Only checks need rows to refer to. */
  async #tidy(): Promise<void> {
    const { clone, schema, graph, isUnchecked } = this.#ground
    const coming = isUnchecked ? [] : this.#measured.filter((id) => !this.#passed.has(id))
    const needed = new Set(coming.flatMap((id) => graph.ancestors(id)))
    const { populated } = await clone.engine.survey(this.#connection, schema)
    await this.#empty(populated.filter((id) => !needed.has(id)))
  }

  /** Those that are referred to first: others have to go with them anyway. */
  async #empty(ids: readonly TableId[]): Promise<void> {
    const { graph, schema, emptyings } = this.#ground
    const left = new Set(ids.filter((id) => reasonToKeep(tableOf(schema, id)) === undefined))
    for (const id of graph.order.flat().toReversed()) {
      if (!left.has(id)) continue
      const { renew, renewed } = emptyings.of(id)
      // What keeps a table from being emptied is told when it is measured.
      await this.#connection.query(renew).catch((error) => this.#reasonIn(error))
      for (const one of renewed) left.delete(one)
    }
  }

  /** Rows of heirs would be among them. */
  #countOf(table: Table): string | undefined {
    const { schema, syntax } = this.#ground
    if (schema.tables.some(({ inherits }) => inherits.includes(table.id))) return undefined
    return `SELECT COUNT(*) AS n FROM ${syntax.qualified(table)}`
  }

  /** What the server has against a table; throws where the connection is lost, which no other table would survive. */
  async #reasonIn(error: unknown): Promise<string> {
    await this.#connection.query('SELECT 1')
    return messageOf(error).replaceAll(/\s+/g, ' ')
  }

  #leftOut(table: Table, sizes: readonly number[], reason: string): Cell[] {
    const place = { server: this.#ground.server.id, case: this.#caseOf(table) }
    return sizes.flatMap((rows) =>
      OWN_WAYS.map((way) => ({ ...place, rows, way, outcome: 'left out' as const, reason })),
    )
  }

  async #note(cells: readonly Cell[]): Promise<void> {
    this.#cells.push(...cells)
    await this.#options.onBlock(this.#results(false))
  }

  #line(table: Table, rows: number): string {
    const all = this.#measured.length
    const left = this.#measured.filter((id) => !this.#passed.has(id)).length
    return `${all - left + 1}/${all}  ${table.label}, ${plural(rows, 'row')}${this.#pace.left(left)}`
  }

  #caseOf({ id, label }: Table): string {
    return this.#cases.get(id) ?? label
  }

  get #connection(): Connection {
    return this.#ground.clone.connection
  }

  #results(complete: boolean): BenchResults {
    const { rows, rounds, leastRounds, budgetMs, seed, previous } = this.#options
    const { schema, server } = this.#ground
    const asked = [...this.#cases].map(([id, name]) => ({
      id: name,
      factor: OWN_FACTOR,
      label: tableOf(schema, id).label,
    }))
    const others = (previous?.cases ?? []).filter((one) => !asked.some(({ id }) => id === one.id))
    const cases = [...others, ...asked]
    return {
      format: 1,
      date: previous?.date ?? new Date(this.#began).toISOString(),
      tookSeconds: (previous?.tookSeconds ?? 0) + Math.round((Date.now() - this.#began) / 1000),
      complete,
      machine: machine(),
      settings: {
        rows: [...new Set([...(previous?.settings.rows ?? []), ...rows])].toSorted((a, b) => a - b),
        cases: cases.map(({ id }) => id),
        ways: [...OWN_WAYS],
        ...{ rounds, leastRounds, budgetMs, seed },
      },
      servers: [server],
      cases,
      ways: OWN_WAYS.map(wayOf).map(({ id, label, note }) => ({ id, label, note })),
      cells: joined(previous?.cells, this.#cells),
    }
  }
}

/** By its label, which two tables may have in common: `a.b` in one schema, and `b` in the schema `a`. */
function caseOf({ id, label }: Table, tables: readonly Table[]): string {
  const isShared = tables.filter((table) => table.label === label).length > 1
  return `${OWN_FACTOR}=${isShared ? `${label} (${id})` : label}`
}
