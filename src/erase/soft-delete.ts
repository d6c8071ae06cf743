import { types } from 'node:util'
import type { EraseDialect } from '../engine/erase-dialect.ts'
import { boundValue, concatenated, joined, type Sql } from '../engine/sql/fragment.ts'
import { AfreshError } from '../errors.ts'
import { type TableId, tableOf } from '../schema/schema.ts'
import { whyNotNull } from './null-mark.ts'
import { type EraseOptions, labelOf } from './options.ts'
import type { ErasePlan } from './plan.ts'
import type { Mark } from './statement.ts'
import type { Value } from './where.ts'

/**
 * How rows are marked as deleted. `live` has the values of a row that is not marked; without it, that is
 * NULL, or the other one of two truth values. So a row that was marked earlier keeps its mark, whatever that
 * is.
 *
 * @param now for a mark without a value: one time for all statements
 */
export function softDeleteOf(
  softDelete: NonNullable<EraseOptions['softDelete']>,
  syntax: EraseDialect,
  now: Date,
): Mark {
  const { column, value, live } = typeof softDelete === 'string' ? { column: softDelete } : softDelete
  const given = value === undefined ? undefined : boundTo(syntax, value)
  const isTruth = typeof value === 'boolean'
  const isUnclear = (name: string) =>
    concatenated([`${name} IS NOT NULL AND ${name} <> `, given ?? concatenated(['NULL'])])
  return {
    column,
    value: given ?? concatenated([syntax.timeOf(now)]),
    isKnown: live !== undefined || isTruth,
    isUnclear: live === undefined && isState(value) ? isUnclear : undefined,
    isUnmarked(name) {
      if (live !== undefined) return isOneOf(syntax, name, Array.isArray(live) ? live : [live])
      if (!isTruth || given === undefined) return concatenated([`${name} IS NULL`])
      return concatenated([`(${name} IS NULL OR ${name} <> `, given, ')'])
    },
  }
}

function isOneOf(syntax: EraseDialect, name: string, live: readonly (Value | null)[]): Sql {
  const parts = live.map((value) =>
    value === null ? concatenated([`${name} IS NULL`]) : concatenated([`${name} = `, boundTo(syntax, value)]),
  )
  return concatenated(['(', joined(parts, ' OR '), ')'])
}

function boundTo(syntax: EraseDialect, value: Value): Sql {
  const bound = syntax.bind(value)
  if (bound !== undefined) return boundValue(bound)
  if (types.isDate(value)) return concatenated([syntax.timeOf(new Date(value))])
  throw new AfreshError('usage', 'softDelete: this engine has no such value.', {
    next: 'Give it as the column stores it, for example as text.',
  })
}

/** Whether the value names a state rather than a time: unmarked rows may have another state. */
function isState(value: unknown): boolean {
  if (typeof value === 'string') return !/^\d{4}-\d\d/.test(value)
  return (typeof value === 'number' || typeof value === 'bigint') && value < 100_000_000
}

/** Throws `AfreshError` (`usage`) naming the tables whose column is missing, or does not show the mark. */
export function rejectUnmarkable({ schema, groups }: ErasePlan, { column, isKnown }: Mark): void {
  const ids = groups.flatMap(({ tables }) => tables)
  const columnOf = (id: TableId) => tableOf(schema, id).columns.find(({ name }) => name === column)
  const lacking = ids.filter((id) => columnOf(id) === undefined)
  if (lacking.length === 0) {
    if (isKnown) return
    const filled = ids.flatMap((id) => {
      const found = columnOf(id)
      const why = found && whyNotNull(found)
      return why === undefined ? [] : [`${labelOf(schema, id)}.${column} ${why}`]
    })
    if (filled.length > 0) throw notNull(filled)
    return
  }
  const labels = lacking.map((id) => labelOf(schema, id)).join(', ')
  throw new AfreshError('usage', `softDelete: there is no column ${JSON.stringify(column)} in ${labels}.`, {
    next: 'Rows that refer to marked ones are marked too: add the column there, or name another. No row was read.',
  })
}

function notNull(reasons: readonly string[]): AfreshError {
  return new AfreshError('usage', `softDelete: ${reasons.join(', ')}: which rows are not marked yet?`, {
    next: "Set the value that those have: softDelete: { column, value, live: '1970-01-01' } (several: a list). No row was read.",
  })
}
