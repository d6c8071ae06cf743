import type { Table, TableId } from '../schema/schema.ts'
import { type Context, closureOf, labelOf, movesKeptCounter } from './context.ts'
import { filesOf, MOST_BYTES, type Threshold, thresholdOf } from './cost.ts'
import { inBinary, plural } from './describe.ts'
import type { TruncateInstead } from './plan.ts'

/** TRUNCATE takes an exclusive lock on each of these; more of them may exhaust the server's lock table. */
const MAX_CLOSURE = 64

interface Decision {
  readonly instead: TruncateInstead | undefined
  /** The decision and its reason, for display. */
  readonly phrase: string
}

/** Above how many rows a table is truncated, or why never; `undefined` if there is no choice to make. */
export function truncateInstead(context: Context, id: TableId): Decision | undefined {
  const { input, schema } = context
  if (!input.capabilities.truncate || input.costs === undefined) return undefined
  const tables = closureOf(context, id, MAX_CLOSURE + 1)
  const obstacle = obstacleTo(context, id, tables)
  if (obstacle !== undefined) return { instead: undefined, phrase: `never TRUNCATE: ${obstacle}` }
  const [table, ...referrers] = tables.flatMap((member) => context.tables.get(member) ?? [])
  if (table === undefined) return undefined
  const closure = [table, ...referrers]
  const incoming = context.incomingKeys.get(id) ?? 0
  const threshold = thresholdOf(input.costs, {
    table,
    closure,
    tables: schema.tables.length,
    checkedKeys: context.mode === 'ordered' ? incoming : 0,
    incomingKeys: incoming,
    counter: counterOf(context, id),
  })
  const scope = scopeOf(closure)
  return {
    instead: { tables, threshold, reason: reasonFor(threshold, scope) },
    phrase: `${sizesOf(threshold)} (${scope})`,
  }
}

/** Why one TRUNCATE would affect something that it must not. */
function obstacleTo(context: Context, id: TableId, closure: readonly TableId[]): string | undefined {
  const { kept, populated, tables, mode } = context
  const versioned = tables.get(id)?.traits.includes('system-versioned')
  if (versioned) return 'the server does not let a system-versioned table be truncated'
  if (movesKeptCounter(context, id)) return 'it would restart the counter, which is to be left alone'
  const unenforced = unenforcedIn(context, closure)
  if (unenforced !== undefined)
    return `the server lets no table be truncated to which "${unenforced}" refers by a key that is not enforced`
  const keptTable = closure.find((member) => kept.has(member))
  if (keptTable !== undefined) return `it would empty "${labelOf(context, keptTable)}" too, which is kept`
  // With checks on, tables that reference a dirty one are emptied and filled again anyway.
  const holder = mode === 'ordered' ? undefined : closure.find((member) => populated.has(member))
  if (holder !== undefined) return `it would empty "${labelOf(context, holder)}" too, whose baseline has rows`
  if (closure.length > MAX_CLOSURE) return `it would lock more than ${MAX_CLOSURE} tables`
  return undefined
}

/**
 * The label of a referencing table that prevents TRUNCATE. PostgreSQL 18 counts only tables with triggers,
 * which enforced foreign keys create, as named in the TRUNCATE, and reports any other as missing.
 */
export function unenforcedIn(context: Context, closure: readonly TableId[]): string | undefined {
  const [, ...referrers] = closure
  const found = referrers.find((id) => context.tables.get(id)?.traits.includes('unenforced'))
  return found === undefined ? undefined : labelOf(context, found)
}

function counterOf({ input, counters }: Context, id: TableId): 'none' | 'at start' | 'elsewhere' {
  const isRestarted = input.capabilities.truncateRestarts && input.sequences !== 'keep'
  const counter = isRestarted ? counters.get(id) : undefined
  if (counter === undefined) return 'none'
  const { position, start } = counter
  return position.value === start && !position.called ? 'at start' : 'elsewhere'
}

/** What the cost of TRUNCATE depends on. */
function scopeOf(closure: readonly Table[]): string {
  const files = closure.reduce((sum, table) => sum + filesOf(table), 0)
  const others = closure.length - 1
  const referrers =
    others === 0 ? '' : ` with ${plural(others, 'table')} that ${others === 1 ? 'refers' : 'refer'} to it`
  return `${plural(files, 'file')}${referrers}`
}

function sizesOf(threshold: Threshold): string {
  const { aboveRows, aboveRowsIfMoved } = threshold
  const size = `TRUNCATE above ${plural(aboveRows, 'row')}${orDead(threshold)}`
  if (aboveRowsIfMoved === aboveRows) return size
  const moved = aboveRowsIfMoved === 0 ? 'always' : `above ${plural(aboveRowsIfMoved, 'row')}`
  return `${size}, ${moved} when its counter has moved`
}

function orDead({ deadBytes }: Threshold): string {
  return deadBytes === MOST_BYTES ? '' : ` or ${inBinary(deadBytes)} of dead ones`
}

function reasonFor(threshold: Threshold, scope: string): string {
  const { aboveRows, aboveRowsIfMoved } = threshold
  const price = `TRUNCATE (${scope}) is cheaper above ${plural(aboveRows, 'row')}${orDead(threshold)}`
  return `${price}${aboveRowsIfMoved < aboveRows ? ', or where it puts the counter back as well' : ''}`
}
