import type { SchemaChange } from '../engine/resetter.ts'
import { CHANGED, compareDefinitions, type Difference } from '../schema/difference.ts'
import { differing } from '../schema/parts.ts'
import { type Schema, type Table, withoutDefault } from '../schema/schema.ts'

/** How a test changed the schema. */
export interface SchemaDiff {
  /** Tables and other objects that are gone or changed. A reset cannot restore them. */
  readonly broken: readonly Difference[]
  /** Labels of new tables and sequences. */
  readonly added: readonly string[]
}

/** Pure. Other changes (an index, a partition, a constraint) only require a new plan. */
export function schemaDiff(before: Schema, after: Schema): SchemaDiff {
  const now = new Map(after.tables.map((table) => [table.id, table]))
  const broken = before.tables.flatMap((table) => {
    const is = now.get(table.id)
    const label = `"${table.label}"`
    if (is === undefined) return [{ subject: label, difference: 'is gone' }]
    if (shapeOf(is) !== shapeOf(table))
      return [{ subject: label, difference: 'has another name or other columns' }]
    return differing(table.parts, is.parts).map((part) => ({
      ...part,
      subject: `of ${label} ${part.subject}`,
    }))
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
function sequencesChanged(before: Schema, after: Schema): Difference[] {
  const compared = before.sequences.filter(({ definition }) => definition !== undefined)
  const now = new Map(after.sequences.map(({ id, definition }) => [id, definition]))
  const subjectOf = (label: string) => `the sequence "${label}"`
  return compareDefinitions(
    new Map(compared.map(({ label, definition }) => [subjectOf(label), definition])),
    new Map(
      compared.flatMap(({ id, label }) => (now.has(id) ? [[subjectOf(label), now.get(id)] as const] : [])),
    ),
  )
}

/** Foreign keys of existing tables. Those of new tables come with the table. */
function keysChanged(before: Schema, after: Schema): Difference[] {
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
  return compareDefinitions(keysIn(before), keysIn(after))
}

function shapeOf({ schema, name, columns, traits }: Table): string {
  return JSON.stringify([schema, name, columns.map(withoutDefault), traits])
}

/** `column shop.orders.total` `was "integer" and is "bigint"` */
export function differenceOf(change: SchemaChange): Difference {
  return { subject: change.object, difference: howOf(change) }
}

function howOf({ was, is }: SchemaChange): string {
  if (is === undefined) return 'is gone'
  if (was === undefined) return 'is new'
  const isShort = [was, is].every((text) => text !== '' && text.length <= 80)
  return isShort ? `was "${was}" and is "${is}"` : CHANGED
}

const MOST_LISTED = 10

export function listed(texts: readonly string[]): string {
  const more = texts.length - MOST_LISTED
  return [...texts.slice(0, MOST_LISTED), ...(more > 0 ? [`and ${more} more`] : [])].join(', ')
}
