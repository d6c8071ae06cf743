import type { Schema, SequenceId, Table, TableId } from '../schema/schema.ts'

/** How a test has changed the schema. */
export interface Drift {
  /** In words, what a reset cannot put right: tables of the plan that are gone or are others now. */
  readonly broken: readonly string[]
  /** New tables: they are to be empty. */
  readonly tables: ReadonlySet<TableId>
  /** New sequences: they are to be at their start. */
  readonly sequences: ReadonlySet<SequenceId>
  /** The labels of what is new. */
  readonly added: readonly string[]
}

/** Pure. What is neither new nor broken (an index, a partition, a constraint) asks for a new plan and nothing else. */
export function driftOf(before: Schema, after: Schema): Drift {
  const now = new Map(after.tables.map((table) => [table.id, table]))
  const broken = before.tables.flatMap((table) => {
    const is = now.get(table.id)
    if (is === undefined) return [`"${table.label}" is gone`]
    return shapeOf(is) === shapeOf(table) ? [] : [`"${table.label}" has other columns`]
  })
  const known = new Set([...before.tables, ...before.sequences].map(({ id }) => id))
  const tables = after.tables.filter(({ id }) => !known.has(id))
  const sequences = after.sequences.filter(({ id }) => !known.has(id))
  return {
    broken,
    tables: new Set(tables.map(({ id }) => id)),
    sequences: new Set(sequences.map(({ id }) => id)),
    added: [...tables, ...sequences].map(({ label }) => label),
  }
}

function shapeOf({ columns, traits }: Table): string {
  return JSON.stringify([columns, traits])
}
