import type { Schema, Table } from '../schema/schema.ts'

/** How a test has changed the schema. */
export interface Drift {
  /** In words, what a reset cannot put right: tables of the plan that are gone or are others now. */
  readonly broken: readonly string[]
  /** The labels of what is new. */
  readonly added: readonly string[]
}

/** Pure. What is neither new nor broken (an index, a partition, a constraint) asks for a new plan and nothing else. */
export function driftOf(before: Schema, after: Schema): Drift {
  const now = new Map(after.tables.map((table) => [table.id, table]))
  const broken = before.tables.flatMap((table) => {
    const is = now.get(table.id)
    if (is === undefined) return [`"${table.label}" is gone`]
    return shapeOf(is) === shapeOf(table) ? [] : [`"${table.label}" has another name or other columns`]
  })
  const known = new Set([...before.tables, ...before.sequences].map(({ id }) => id))
  const isNew = ({ id }: { readonly id: string }) => !known.has(id)
  const added = [...after.tables.filter(isNew), ...after.sequences.filter(isNew)]
  return { broken, added: [...new Set(added.map(({ label }) => label))] }
}

function shapeOf({ schema, name, columns, traits }: Table): string {
  return JSON.stringify([schema, name, columns, traits])
}
