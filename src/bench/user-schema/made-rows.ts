import type { Connection } from '../../engine/connection.ts'
import type { Engine } from '../../engine/engine.ts'
import type { ColumnFacts, RowDialect } from '../../engine/row-dialect.ts'
import { fillTables } from '../../generate/fill.ts'
import type { Random } from '../../generate/random.ts'
import { type Writer, writerFor } from '../../generate/writer.ts'
import { type Graph, graphOf } from '../../schema/graph.ts'
import type { Schema, Table, TableId } from '../../schema/schema.ts'
import { keepSeed, type Seed, type SubjectTable } from './multiply-rows.ts'
import { oneLine, RowStock, type RowSupply } from './row-stock.ts'

interface RowMakerInput {
  readonly engine: Engine
  readonly connection: Connection
  readonly schema: Schema
  /** Whether foreign keys are off. */
  readonly isUnchecked: boolean
  readonly random: Random
}

/** Of each table no more are kept to be multiplied. */
const SEED_ROWS = 20
/** So many refusals in a row, and there is no other row to be made up. */
const REFUSALS = 20
/** For the next row of a table that has some. */
const TRIES = 4

/**
 * Makes rows without sending them: a few are made up and written one by one, and the server multiplies them. The user's
 * own rows are not looked at.
 */
export class RowMaker {
  readonly #input: RowMakerInput
  readonly #syntax: RowDialect
  readonly #facts: ReadonlyMap<TableId, readonly ColumnFacts[]>
  readonly #uniques: ReadonlyMap<TableId, readonly (readonly string[])[]>
  readonly #graph: Graph
  readonly #refusals = new Map<TableId, string>()
  #seeds = 0

  private constructor(
    input: RowMakerInput,
    syntax: RowDialect,
    facts: ReadonlyMap<TableId, readonly ColumnFacts[]>,
    uniques: ReadonlyMap<TableId, readonly (readonly string[])[]>,
  ) {
    this.#input = input
    this.#syntax = syntax
    this.#facts = facts
    this.#uniques = uniques
    this.#graph = graphOf(input.schema)
  }

  static async open(input: RowMakerInput, syntax: RowDialect): Promise<RowMaker> {
    const { connection, schema } = input
    const facts = await syntax.facts(connection, schema)
    return new RowMaker(input, syntax, facts, await syntax.uniques(connection, schema))
  }

  /** A few rows in each of these tables. A table that gets none is told of when it is asked for. */
  async fill(ids: ReadonlySet<TableId>): Promise<void> {
    const { schema } = this.#input
    await this.#fillEach(await this.#writer(schema.foreignKeys), ids)
    if (!this.#input.isUnchecked || this.#refusals.size === 0) return
    // Nobody checks what they refer to: that helps where each of two tables wants a row of the other first.
    await this.#fillEach(await this.#writer([]), new Set(this.#refusals.keys()))
  }

  async #fillEach(writer: Writer, ids: ReadonlySet<TableId>): Promise<void> {
    const { tables } = this.#input.schema
    const others = tables.flatMap(({ id }) => (ids.has(id) ? [] : [id]))
    const { leftEmpty } = await fillTables(writer, others)
    const reasons = new Map(leftEmpty.map(({ table, reason }) => [table, reason]))
    for (const { id, label } of tables.filter((table) => ids.has(table.id))) {
      const reason = reasons.get(label)
      if (reason === undefined) this.#refusals.delete(id)
      else this.#refusals.set(id, reason)
    }
  }

  #writer(foreignKeys: Schema['foreignKeys']): Promise<Writer> {
    const { engine, connection, random, schema } = this.#input
    return writerFor({ ...engine, introspect: async () => ({ ...schema, foreignKeys }) }, connection, random)
  }

  /** Keeps rows of the table aside, so that it can be emptied; a phrase for people where it has none. */
  async keep(table: Table): Promise<RowStock | string> {
    const subject = this.#subjectOf(table)
    const seed = await this.#keep(subject, SEED_ROWS)
    if (seed.rows > 0) return new RowStock(this.#input.connection, { subject, seed, syntax: this.#syntax })
    await this.drop(seed)
    return `no row could be made up: ${oneLine(this.#refusals.get(table.id) ?? 'the server took none')}`
  }

  /**
   * Finds out how rows of the table can be multiplied. Where they cannot, as many as wanted are made up one by one
   * while there is time. Leaves rows in the table.
   *
   * @param wanted how many rows will be asked for at most
   */
  async supply(
    stock: RowStock,
    {
      renew,
      wanted,
      budgetMs,
    }: { readonly renew: string; readonly wanted: number; readonly budgetMs: number },
  ): Promise<RowSupply> {
    if (wanted <= stock.seed.rows) return stock.plain('')
    const { found, reason } = await stock.multiplied(renew)
    if (found !== undefined) return found
    await this.#makeUp(stock, { renew, wanted, budgetMs })
    return stock.plain(reason)
  }

  async #makeUp(
    stock: RowStock,
    {
      renew,
      wanted,
      budgetMs,
    }: { readonly renew: string; readonly wanted: number; readonly budgetMs: number },
  ): Promise<void> {
    const { connection, schema, isUnchecked } = this.#input
    const writer = await this.#writer(isUnchecked ? [] : schema.foreignKeys)
    const until = performance.now() + budgetMs
    await connection.query(renew)
    let written = 0
    for (let refused = 0; written < wanted && refused < REFUSALS && performance.now() < until; ) {
      const isWritten = (await writer.insert(stock.subject.table, TRIES)) === undefined
      refused = isWritten ? 0 : refused + 1
      if (isWritten) written += 1
    }
    if (written <= stock.seed.rows) return
    const before = stock.seed
    stock.seed = await this.#keep(stock.subject, wanted)
    await this.drop(before)
  }

  async #keep(subject: SubjectTable, most: number): Promise<Seed> {
    const { connection } = this.#input
    const name = `afresh_seed_${++this.#seeds}`
    await connection.query(keepSeed(subject, name, most, this.#syntax))
    const [row] = await connection.query(`SELECT COUNT(*) AS n FROM ${name}`)
    return { name, rows: Number(row?.n) }
  }

  /** It hides a table of the user's that is called the same, so it is the one that goes. */
  async drop({ name }: Seed): Promise<void> {
    await this.#input.connection.query(`DROP TABLE ${name}`)
  }

  #subjectOf(table: Table): SubjectTable {
    const { schema, isUnchecked } = this.#input
    const foreignKeys = schema.foreignKeys.filter(({ from }) => from === table.id)
    const emptied = new Set(this.#graph.closure(table.id))
    return {
      table,
      facts: this.#facts.get(table.id) ?? [],
      uniques: this.#uniques.get(table.id) ?? [],
      foreignKeys,
      dangling: new Set(
        isUnchecked
          ? []
          : foreignKeys
              .filter(({ to }) => emptied.has(to))
              .flatMap(({ columns }) => columns)
              .filter((name) => table.columns.some((column) => column.name === name && column.nullable)),
      ),
      isUnchecked,
    }
  }
}
