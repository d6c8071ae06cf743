import type { RowDialect } from '../../engine/row-dialect.ts'
import { randomFrom } from '../../generate/random.ts'
import { type Graph, graphOf } from '../../schema/graph.ts'
import type { Schema, TableId } from '../../schema/schema.ts'
import type { ServerResults } from '../results.ts'
import { type StorageMetrics, storageMetricsOf } from '../storage-metrics.ts'
import type { Clone } from './clone.ts'
import { EmptyingSqlBuilder } from './emptying-sql.ts'
import { RowMaker } from './made-rows.ts'
import type { SchemaBenchOptions } from './options.ts'
import { serverOf } from './server-summary.ts'

/** What is known about the copy before anything is measured. */
export interface SchemaBenchContext {
  readonly clone: Clone
  readonly schema: Schema
  readonly graph: Graph
  /** Whether foreign keys, and triggers where possible, are off. */
  readonly isUnchecked: boolean
  readonly syntax: RowDialect
  readonly emptying: EmptyingSqlBuilder
  readonly rows: RowMaker
  readonly metrics: StorageMetrics
  readonly server: ServerResults
  /** Why tables are not measured, by the properties of their copy. */
  readonly unfit: ReadonlyMap<TableId, string>
}

/** Reads the copy and prepares it. `populated`: tables that have rows. */
export async function openContext(
  clone: Clone,
  options: SchemaBenchOptions,
): Promise<{ readonly context: SchemaBenchContext; readonly populated: readonly TableId[] }> {
  const { engine, connection } = clone
  const { rows: syntax } = engine
  if (syntax === undefined) throw new Error(`rows cannot be generated for ${engine.title}`)
  const schema = await engine.introspect(connection)
  const { populated, mayDisableChecks: isUnchecked } = await engine.inspectState(connection, schema)
  if (isUnchecked) await connection.query(syntax.uncheck)
  const unfit = await engine.bench.silence(connection, schema, isUnchecked)
  const random = randomFrom(options.seed)
  const context: SchemaBenchContext = {
    clone,
    schema,
    graph: graphOf(schema),
    isUnchecked,
    syntax,
    emptying: new EmptyingSqlBuilder(engine, schema, isUnchecked),
    rows: await RowMaker.open({ engine, connection, schema, isUnchecked, random }, syntax),
    metrics: await storageMetricsOf(engine, connection),
    server: await serverOf(clone, options.previous),
    unfit,
  }
  return { context, populated }
}
