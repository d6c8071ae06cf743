import { AfreshError } from '../errors.ts'
import { isCalled, tablesCalled } from '../schema/filter.ts'
import { type ForeignKey, type Schema, type Table, type TableId, tableOf } from '../schema/schema.ts'
import * as z from '../util/validation.ts'
import { type Cascade, isHere, type LinkAction } from './plan.ts'
import type { Value } from './where.ts'

/**
 * Options of `erase`, `eraseFrom` and `planErase`: how the selected rows are deleted, and what happens to the
 * rows that refer to them. Options that contradict each other throw `AfreshError` (`usage`), which lists
 * every problem at once.
 */
export interface EraseOptions {
  /**
   * What happens to rows that refer to deleted rows. `error`: if any foreign key of the schema could require
   * more rows to be deleted, the call fails before it reads a row. `follow`: referring rows are deleted
   * first, whatever ON DELETE says, except that SET NULL and SET DEFAULT are applied. `declared`: the server
   * applies ON DELETE. Default `error`.
   */
  readonly cascade?: Cascade
  /**
   * With `follow`: the action for single foreign keys, instead of the declared one, by the key's name or as
   * `table.column` (`table(column, column)`). `restrict`: fail if there are referring rows.
   */
  readonly onDelete?: Readonly<Record<string, 'cascade' | 'set null' | 'set default' | 'restrict'>>
  /** Executes everything and rolls it back: reports the effect, with exact numbers. Default `false`. */
  readonly dryRun?: boolean
  /** Maximum number of rows to delete, in all tables. With more, the call fails and changes nothing. */
  readonly max?: number
  /**
   * Number of selected rows to delete in one transaction, together with the rows that refer to them, so that
   * locks are held only for a short time. After an interruption, another call continues.
   */
  readonly batch?: number
  /** Called after each batch. */
  readonly onProgress?: (progress: EraseProgress) => void
  /** Stops the erase between two batches. */
  readonly signal?: AbortSignal
  /**
   * Marks the rows, and those that would be deleted with them, instead of deleting them: sets a column, which
   * each of the tables must have, to the current time or to `value`. Rows that are marked already stay
   * unchanged: those whose column does not have a value of `live`. Default of `live`: NULL, and the opposite
   * of a boolean `value`.
   */
  readonly softDelete?: string | SoftDelete
  /** Copies rows to archive tables (`orders_archive`), which are created if missing. Default `false`. */
  readonly archive?: boolean
  /** Milliseconds to wait for another session's lock. Default: as the database's resets, else 2,500. */
  readonly lockTimeoutMs?: number
}

export interface SoftDelete {
  readonly column: string
  readonly value?: Value
  readonly live?: Value | null | readonly (Value | null)[]
}

/** Progress of an erase in batches, after each: numbers of rows, and of the batch, counted from 1. */
export interface EraseProgress {
  /** Of the rows that the condition selects, those that are done. */
  readonly done: number
  readonly total: number
  readonly batch: number
}

/** Checks the shape: an AbortSignal of another realm has another class. */
function isSignal(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'aborted' in value
}

const whole = z.int().check(z.positive())

const softDelete = z.strictObject({
  column: z.string().check(z.minLength(1)),
  value: z.optional(z.unknown()),
  live: z.optional(z.unknown()),
})

const schema = z.strictObject({
  cascade: z.optional(z.enum(['error', 'follow', 'declared'])),
  onDelete: z.optional(z.record(z.string(), z.enum(['cascade', 'set null', 'set default', 'restrict']))),
  dryRun: z.optional(z.boolean()),
  max: z.optional(z.int().check(z.nonnegative())),
  batch: z.optional(whole),
  onProgress: z.optional(z.custom((value) => typeof value === 'function', 'expected a function')),
  signal: z.optional(z.custom(isSignal, 'expected an AbortSignal')),
  softDelete: z.optional(
    z.union([z.string().check(z.minLength(1)), softDelete], {
      error: 'expected a column, or { column, value, live }',
    }),
  ),
  archive: z.optional(z.boolean()),
  lockTimeoutMs: z.optional(whole.check(z.maximum(600_000))),
})

/** Throws `AfreshError` (`usage`), which lists every problem of the options at once. */
export function checkOptions(options: EraseOptions): void {
  const result = schema.safeParse(options)
  const problems = result.success
    ? []
    : result.error.issues.map(({ path, message }) => `${path.join('.') || 'options'}: ${message}`)
  const { cascade = 'error', onDelete, softDelete, archive, batch, signal, onProgress } = options
  if (onDelete !== undefined && cascade !== 'follow') problems.push("onDelete: only with cascade: 'follow'")
  if (cascade === 'declared' && softDelete !== undefined) {
    problems.push("softDelete: ON DELETE deletes; set cascade: 'follow'")
  }
  if (cascade === 'declared' && archive === true) {
    problems.push("archive: what ON DELETE deletes is not seen; set cascade: 'follow'")
  }
  if (softDelete !== undefined && archive === true)
    problems.push('archive: soft-deleted rows stay where they are')
  if (batch === undefined && (signal !== undefined || onProgress !== undefined)) {
    problems.push('onProgress, signal: only with batch, between two of which they count')
  }
  if (problems.length === 0) return
  throw new AfreshError(
    'usage',
    `The options of erase cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
    { next: 'Correct them; docs/erase.md lists them.' },
  )
}

/** No table has the name; another object may. */
export class NoTableError extends AfreshError {}

/**
 * The table that a user names: as afresh writes it, with its schema, or by its bare name if only one table
 * has it.
 *
 * @throws AfreshError `usage` for a table that does not exist, or has no rows of its own
 */
export function tableNamed(schema: Schema, name: string): Table {
  const { tables } = schema
  const found = only(tablesCalled(schema, name), name)
  if (found === undefined) {
    const parent = tables.find(({ partitions = [] }) =>
      partitions.some((partition) => partition === name || name.endsWith(`.${partition}`)),
    )
    if (parent !== undefined) throw notBySelf(name, parent)
    const near = tables.map(({ label }) => label).filter((label) => isNear(label, name))
    throw new NoTableError('usage', `There is no table ${JSON.stringify(name)}.`, {
      next:
        near.length > 0
          ? `Is it ${near.slice(0, 5).join(', ')}?`
          : '`afresh plan` lists the tables; of a view, name the table that its rows are in.',
    })
  }
  for (const trait of ['materialized', 'derived', 'unreadable'] as const) {
    if (found.traits.includes(trait)) {
      throw new AfreshError('usage', `${found.label}: its rows are computed from other tables.`, {
        next: 'Erase there.',
      })
    }
  }
  return found
}

function notBySelf(name: string, { label }: Table): AfreshError {
  return new AfreshError(
    'usage',
    `${JSON.stringify(name)} is a partition of ${label}, not a table of its own.`,
    {
      next: `Erase in ${label}, with a condition on what it is partitioned by.`,
    },
  )
}

function only(tables: readonly Table[], name: string): Table | undefined {
  if (tables.length > 1) {
    throw new AfreshError('usage', `There are several tables ${JSON.stringify(name)}.`, {
      next: `Choose one: ${tables.map(({ label }) => label).join(', ')}.`,
    })
  }
  return tables[0]
}

function isNear(label: string, name: string): boolean {
  const [a, b] = [label.toLowerCase(), name.toLowerCase()]
  return a.includes(b) || b.includes(a)
}

const ACTIONS: Readonly<Record<string, LinkAction>> = {
  cascade: 'delete',
  'set null': 'set null',
  'set default': 'set default',
  restrict: 'refuse',
}

/** The requested actions by foreign key. Throws `AfreshError` (`usage`) for a key that does not exist. */
export function actionsOf(
  schema: Schema,
  onDelete: EraseOptions['onDelete'] = {},
): ReadonlyMap<ForeignKey, LinkAction> {
  return new Map(
    Object.entries(onDelete).map(([name, action]) => {
      const key = keyNamed(schema, name)
      if (action === 'set null') refuseFilled(schema, key)
      return [key, ACTIONS[action] ?? 'delete']
    }),
  )
}

function keyNamed(schema: Schema, name: string): ForeignKey {
  const keysInSchema = schema.foreignKeys.filter((key) => isHere(schema, key))
  const found = keysInSchema.filter(
    (key) => key.name === name || columnsOf(schema, key).some((column) => isCalled(schema, column, name)),
  )
  const [key] = found
  if (found.length === 1 && key !== undefined) return key
  const known = (found.length > 1 ? found : keysInSchema).slice(0, 8).map((key) => columnsOf(schema, key)[0])
  throw new AfreshError(
    'usage',
    `onDelete: ${found.length > 1 ? 'several foreign keys are' : 'no foreign key is'} called ${JSON.stringify(name)}.`,
    { next: `Write it as ${known.join(', ')}${keysInSchema.length > 8 ? ', …' : ''}.` },
  )
}

/** `orders.user_id`, `orders(user_id)`, or `lines(order_id, shop_id)` */
function columnsOf(schema: Schema, { from, columns }: ForeignKey): string[] {
  const { label } = tableOf(schema, from)
  return [...(columns.length === 1 ? [`${label}.${columns[0]}`] : []), `${label}(${columns.join(', ')})`]
}

function refuseFilled(schema: Schema, key: ForeignKey): void {
  const table = tableOf(schema, key.from)
  const set = key.setColumns ?? key.columns
  const filled = table.columns.filter(({ name, nullable }) => set.includes(name) && !nullable)
  if (filled.length === 0) return
  const names = filled.map(({ name }) => `${table.label}.${name}`)
  throw new AfreshError('usage', `onDelete: ${names.join(', ')} cannot be NULL.`, {
    next: "Use 'cascade' or 'restrict'.",
  })
}

export function labelOf(schema: Schema, id: TableId): string {
  return tableOf(schema, id).label
}

/** `orders.user_id` or `lines(order_id, shop_id)`, for people. */
export function keyLabel(schema: Schema, key: ForeignKey): string {
  return columnsOf(schema, key)[0] ?? key.name
}
