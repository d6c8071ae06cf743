import { AfreshError } from '../errors.ts'
import { matchTables } from '../schema/filter.ts'
import { type Graph, graphOf } from '../schema/graph.ts'
import type { ForeignKey, Schema, Sequence, Table, TableId } from '../schema/schema.ts'
import type { Costs } from './cost.ts'
import type { Plan, SequenceMode, Strategy } from './plan.ts'

export interface PlanInput {
  readonly strategy: Strategy
  readonly sequences: SequenceMode
  /** Names or globs of tables that no reset touches. */
  readonly keep: readonly string[]
  /** The tables whose baseline has rows. */
  readonly populated: readonly TableId[]
  /** Whether the session may switch foreign keys and triggers off. */
  readonly mayDisableChecks: boolean
  readonly capabilities: {
    readonly truncate: boolean
    readonly truncateRestarts: boolean
    readonly truncateNeedsClosure: boolean
  }
  /** Costs of DELETE and TRUNCATE on this server. Without them, `auto` never truncates. */
  readonly costs?: Costs | undefined
}

/** What the steps of a plan are built from. */
export interface Context {
  readonly schema: Schema
  readonly input: PlanInput
  readonly graph: Graph
  readonly mode: Plan['mode']
  readonly tables: ReadonlyMap<TableId, Table>
  readonly kept: ReadonlyMap<TableId, string>
  readonly populated: ReadonlySet<TableId>
  /** The order without the kept tables. */
  readonly order: readonly (readonly TableId[])[]
  readonly sequences: readonly Sequence[]
  /** Counters of the whole schema, by the table that owns them. */
  readonly counters: ReadonlyMap<TableId, Sequence>
  readonly incomingKeys: ReadonlyMap<TableId, number>
}

export function contextOf(schema: Schema, input: PlanInput): Context {
  const kept = keptTables(schema, input.keep)
  const graph = graphOf(schema)
  const isReset = (id: TableId) => !kept.has(id)
  const incomingKeys = new Map<TableId, number>()
  for (const { to } of schema.foreignKeys) incomingKeys.set(to, (incomingKeys.get(to) ?? 0) + 1)
  return {
    incomingKeys,
    counters: new Map(
      schema.sequences.flatMap((sequence) =>
        sequence.ownedBy === undefined ? [] : [[sequence.ownedBy.table, sequence] as const],
      ),
    ),
    schema,
    input,
    graph,
    mode: input.mayDisableChecks ? 'unchecked' : 'ordered',
    tables: new Map(schema.tables.map((table) => [table.id, table])),
    kept,
    populated: new Set(input.populated.filter(isReset)),
    order: graph.order.map((group) => group.filter(isReset)).filter((group) => group.length > 0),
    sequences:
      input.sequences === 'keep'
        ? []
        : schema.sequences.filter(({ ownedBy }) => ownedBy === undefined || isReset(ownedBy.table)),
  }
}

function keptTables(schema: Schema, keep: readonly string[]): Map<TableId, string> {
  const { tables, unmatched } = matchTables(schema, keep)
  if (unmatched.length > 0) {
    throw new AfreshError('usage', `\`keep\` names tables that are not there: ${unmatched.join(', ')}.`, {
      next: 'Correct the names; `afresh plan` lists the existing tables.',
    })
  }
  const kept = new Map<TableId, string>()
  for (const table of schema.tables) {
    if (tables.has(table.id)) kept.set(table.id, 'named in `keep`')
    else if (table.traits.includes('extension')) kept.set(table.id, 'belongs to an extension')
    else if (table.traits.includes('foreign') && !isHierarchy(table)) {
      kept.set(table.id, 'a foreign table: its rows live on another server')
    }
  }
  return kept
}

export function isHierarchy(table: Table): boolean {
  return table.traits.includes('partitioned') || table.inherits.length > 0
}

/** The foreign keys of kept tables that reference a table that is reset. */
export function keysOfKept({ schema, kept, tables }: Context): ForeignKey[] {
  return schema.foreignKeys.filter(({ from, to }) => kept.has(from) && tables.has(to) && !kept.has(to))
}

export function labelOf({ tables }: Context, id: TableId): string {
  return tables.get(id)?.label ?? id
}

/** The tables that one TRUNCATE must name so that the engine accepts it. */
export function closureOf({ graph, input }: Context, id: TableId, most?: number): readonly TableId[] {
  return input.capabilities.truncateNeedsClosure ? graph.closure(id, most) : [id]
}

/** Whether TRUNCATE would restart a counter that must keep its position. */
export function movesKeptCounter({ input, counters }: Context, id: TableId): boolean {
  return input.sequences === 'keep' && input.capabilities.truncateRestarts && counters.has(id)
}
