import type { Table, TableId } from '../schema/schema.ts'
import { type Context, closureOf, labelOf, movesKeptCounter } from './context.ts'
import { filesOf, MOST_BYTES, type Threshold, thresholdOf } from './cost.ts'
import { inBinary, plural } from './describe.ts'
import type { TruncateInstead } from './plan.ts'

/** TRUNCATE locks each of these out of everybody's reach; with more of them a server may run out of locks. */
const MAX_CLOSURE = 64

interface Decision {
  readonly instead: TruncateInstead | undefined
  /** The decision and its reason, for people. */
  readonly phrase: string
}

/** From how many rows on a table is truncated, or why never; `undefined` where nobody could choose. */
export function truncateInstead(context: Context, id: TableId): Decision | undefined {
  const { input, schema } = context
  if (!input.capabilities.truncate || input.costs === undefined) return undefined
  const tables = closureOf(context, id)
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

/** Why one TRUNCATE would reach what it must not. */
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
  // With checks on, whatever refers to a dirty table is emptied and filled again anyway.
  const holder = mode === 'ordered' ? undefined : closure.find((member) => populated.has(member))
  if (holder !== undefined) return `it would empty "${labelOf(context, holder)}" too, whose baseline has rows`
  if (closure.length > MAX_CLOSURE) return `it would lock ${closure.length} tables`
  return undefined
}

/**
 * The label of a table in whose company none can be truncated: PostgreSQL 18 looks only at referrers that have triggers,
 * as foreign keys that are enforced give them, and then misses the others.
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

/** What TRUNCATE costs by. */
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
