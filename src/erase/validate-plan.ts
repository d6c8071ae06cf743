import { AfreshError } from '../errors.ts'
import { type Schema, type Table, tableOf } from '../schema/schema.ts'
import { keyLabel, labelOf } from './options.ts'
import { type ErasePlan, isHere, type Link, pathsTo } from './plan.ts'

/**
 * Throws `AfreshError` (`erase`) if rows of other tables would have to be deleted without permission, naming
 * the path to each table; and if tables are on another server or in another database.
 */
export function validatePlan(plan: ErasePlan): void {
  refuseElsewhere(plan)
  refuseForeign(plan)
  if (plan.cascade !== 'error') return
  const needed = plan.links.filter(({ does }) => does === 'delete')
  if (needed.length === 0) return
  const lines = waysOf(plan)
  const shown = lines.slice(0, MOST_LINES)
  const rest = lines.length - shown.length
  throw new AfreshError(
    'erase',
    `Rows of ${targetsOf(plan)} cannot be deleted by themselves: others may refer to them.\n` +
      `${shown.join('\n')}${rest > 0 ? `\n    … and ${rest} more` : ''}`,
    {
      next: "cascade: 'follow' (--cascade follow) deletes those too, 'declared' leaves it to ON DELETE. No row was read.",
    },
  )
}

const MOST_LINES = 12

/** `users ← orders.user_id (ON DELETE RESTRICT) ← lines.order_id (ON DELETE CASCADE)` */
function waysOf(plan: ErasePlan): string[] {
  const { schema, links, targets } = plan
  const ways = [...pathsTo(plan).values()].filter((path) => path.length > 0)
  // The beginning of a longer path is omitted.
  const ends = ways.filter(
    (path) =>
      !ways.some((other) => other.length > path.length && path.every((link, index) => link === other[index])),
  )
  const own = links.filter(({ key, does }) => does === 'delete' && targets.includes(key.from))
  return [...ends, ...own.map((link) => [link])].map((path) => {
    const [first] = path
    const start = first === undefined ? '' : labelOf(schema, first.key.to)
    return `    ${[start, ...path.map((link) => hopOf(schema, link))].join(' ← ')}`
  })
}

function hopOf(schema: Schema, { key }: Link): string {
  return `${keyLabel(schema, key)} (ON DELETE ${key.onDelete.toUpperCase()})`
}

/** Deleting there would delete on another server, which afresh has no permission to change. */
function refuseForeign({ schema, groups, changed }: ErasePlan): void {
  const ids = new Set([...groups.flatMap(({ tables }) => tables), ...changed])
  const tables = [...ids].map((id) => tableOf(schema, id))
  refuseRules(tables.filter(({ traits }) => traits.includes('rule-on-foreign')))
  const foreign = tables.filter(({ traits }) => traits.includes('foreign'))
  if (foreign.length === 0) return
  const names = foreign.map(({ label, partitions = [] }) =>
    partitions.length === 0 ? label : `${label} (partitions ${partitions.join(', ')})`,
  )
  throw new AfreshError(
    'erase',
    `Rows of these tables are, at least in part, on another server or in another database: ${names.join('; ')}.`,
    {
      next: 'Erase in that database, or detach or drop the foreign table. No row was read.',
    },
  )
}

/** A trigger may do that too, but only its text would say so. */
function refuseRules(tables: readonly Table[]): void {
  if (tables.length === 0) return
  const names = tables.map(({ label }) => label).join(', ')
  throw new AfreshError('erase', `Rules of these tables use tables on another server: ${names}.`, {
    next: 'Drop or disable those rules, or delete the rows yourself. No row was read.',
  })
}

/** afresh may not change the other database, neither directly nor by its server's cascades. */
function refuseElsewhere({ schema, links, cascade }: ErasePlan): void {
  const isTouched = ({ onDelete }: Link['key']) => onDelete !== 'no action' && onDelete !== 'restrict'
  const elsewhere = links.filter(
    ({ key }) => !isHere(schema, key) && (cascade !== 'declared' || isTouched(key)),
  )
  if (elsewhere.length === 0) return
  const names = elsewhere.map(
    ({ key }) => `${key.from} (${key.columns.join(', ')}) ON DELETE ${key.onDelete.toUpperCase()}`,
  )
  throw new AfreshError('erase', `Tables of another database refer to those: ${names.join(', ')}.`, {
    next: 'Drop those keys, or delete the rows of both yourself. No row was read.',
  })
}

function targetsOf({ schema, targets }: ErasePlan): string {
  return targets.map((id) => labelOf(schema, id)).join(', ')
}
