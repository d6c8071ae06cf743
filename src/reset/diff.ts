import type { SchemaChange } from '../engine/resetter.ts'
import { differing } from '../schema/parts.ts'
import { type Schema, type Table, withoutDefault } from '../schema/schema.ts'
import type { Difference } from './verify.ts'

/** How a test changed the schema. */
export interface SchemaDiff {
  /** Tables and other objects that are gone or changed, in words. A reset cannot restore them. */
  readonly broken: readonly string[]
  /** Labels of new tables and sequences. */
  readonly added: readonly string[]
}

/** Pure. Other changes (an index, a partition, a constraint) only require a new plan. */
export function schemaDiff(before: Schema, after: Schema): SchemaDiff {
  const now = new Map(after.tables.map((table) => [table.id, table]))
  const broken = before.tables.flatMap((table) => {
    const is = now.get(table.id)
    if (is === undefined) return [`"${table.label}" is gone`]
    if (shapeOf(is) !== shapeOf(table)) return [`"${table.label}" has another name or other columns`]
    return differing(table.parts, is.parts).map((change) => `of "${table.label}" ${change}`)
  })
  const known = new Set([...before.tables, ...before.sequences].map(({ id }) => id))
  const isNew = ({ id }: { readonly id: string }) => !known.has(id)
  const added = [...after.tables.filter(isNew), ...after.sequences.filter(isNew)]
  broken.push(
    ...keysChanged(before, after),
    ...sequencesChanged(before, after),
    ...differing(before.parts, after.parts),
  )
  return { broken, added: [...new Set(added.map(({ label }) => label))] }
}

/** Existing sequences, except those without `definition`, whose changes the engine detects itself. */
function sequencesChanged(before: Schema, after: Schema): string[] {
  const now = new Map(after.sequences.map((sequence) => [sequence.id, sequence]))
  return before.sequences.flatMap(({ id, label, definition }) => {
    if (definition === undefined) return []
    const is = now.get(id)
    if (is === undefined) return [`the sequence "${label}" is gone`]
    return is.definition === definition ? [] : [`the sequence "${label}" is defined otherwise`]
  })
}

/** Foreign keys of existing tables. Those of new tables come with the table. */
function keysChanged(before: Schema, after: Schema): string[] {
  const tables = new Map(before.tables.map(({ id, label }) => [id, label]))
  const keysIn = ({ foreignKeys }: Schema) =>
    new Map(
      foreignKeys.flatMap((key) => {
        const label = tables.get(key.from)
        return label === undefined
          ? []
          : [[`the foreign key "${key.name}" of "${label}"`, JSON.stringify(key)] as const]
      }),
    )
  const [was, is] = [keysIn(before), keysIn(after)]
  return [
    ...[...was].flatMap(([key, definition]) =>
      !is.has(key) ? [`${key} is gone`] : is.get(key) === definition ? [] : [`${key} is defined otherwise`],
    ),
    ...[...is.keys()].filter((key) => !was.has(key)).map((key) => `${key} is new`),
  ]
}

function shapeOf({ schema, name, columns, traits }: Table): string {
  return JSON.stringify([schema, name, columns.map(withoutDefault), traits])
}

/** `column shop.orders.total was "integer" and is "bigint"` */
export function describeChange(change: SchemaChange): string {
  return `${change.object} ${howOf(change)}`
}

export function differenceOf(change: SchemaChange): Difference {
  return { subject: change.object, difference: howOf(change) }
}

/** @param change `"orders" is gone` */
export function asDifference(change: string): Difference {
  const [, subject = change, difference = 'differs'] = /^(.*) ((?:is|has) .*)$/s.exec(change) ?? []
  return { subject, difference }
}

function howOf({ was, is }: SchemaChange): string {
  if (is === undefined) return 'is gone'
  if (was === undefined) return 'is new'
  const isShort = [was, is].every((text) => text !== '' && text.length <= 80)
  return isShort ? `was "${was}" and is "${is}"` : 'is defined otherwise'
}

const MOST_LISTED = 10

export function listed(texts: readonly string[]): string {
  const more = texts.length - MOST_LISTED
  return [...texts.slice(0, MOST_LISTED), ...(more > 0 ? [`and ${more} more`] : [])].join(', ')
}
