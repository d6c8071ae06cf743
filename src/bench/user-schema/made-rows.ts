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

/** Maximum number of rows per table that are kept for multiplication. */
const SEED_ROWS = 20
/** Consecutive rejections after which no further rows are generated. */
const REFUSALS = 20
/** Attempts per row for a table that already has some. */
const TRIES = 4

/**
 * Makes rows without transferring them: generates a few, writes them one by one, and has the server multiply
 * them. Does not read the user's own rows.
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

  /** Writes a few rows to each of these tables. `keep` reports the tables for which that failed. */
  async fill(ids: ReadonlySet<TableId>): Promise<void> {
    const { schema } = this.#input
    await this.#fillEach(await this.#writer(schema.foreignKeys), ids)
    if (!this.#input.isUnchecked || this.#refusals.size === 0) return
    // Without checks on references, which helps if each of two tables needs a row of the other first.
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

  /** Copies rows to a temporary table, so that the table can be emptied; a phrase if there are none. */
  async keep(table: Table): Promise<RowStock | string> {
    const subject = this.#subjectOf(table)
    const seed = await this.#keep(subject, SEED_ROWS)
    if (seed.rows > 0) return new RowStock(this.#input.connection, { subject, seed, syntax: this.#syntax })
    await this.drop(seed)
    return `no row could be generated: ${oneLine(this.#refusals.get(table.id) ?? 'the server accepted none')}`
  }

  /**
   * Finds a way to multiply the rows of the table. If there is none, generates rows one by one while time
   * remains. Leaves rows in the table.
   *
   * @param wanted the maximum number of rows that will be requested
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

  /** Drops the temporary table, even if a table of the user has the same name: the temporary one hides it. */
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
