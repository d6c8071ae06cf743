import { types } from 'node:util'
import { boundValue, concatenated } from '../engine/bound-sql.ts'
import type { EraseSyntax } from '../engine/erase.ts'
import { AfreshError } from '../errors.ts'
import { tableOf } from '../schema/schema.ts'
import { type EraseOptions, labelOf } from './options.ts'
import type { ErasePlan } from './plan.ts'
import type { Mark } from './task.ts'

/**
 * How rows are marked as deleted. A row is marked already where the column is not NULL, or, with a value that is no time,
 * has that value.
 */
export function markOf(softDelete: EraseOptions['softDelete'], syntax: EraseSyntax): Mark | undefined {
  if (softDelete === undefined) return undefined
  const { column, value } =
    typeof softDelete === 'string' ? { column: softDelete, value: undefined } : softDelete
  const isTime = value === undefined || types.isDate(value)
  const given = value === undefined ? undefined : syntax.bind(value)
  if (value !== undefined && given === undefined) {
    throw new AfreshError('usage', 'softDelete: this engine has no such value.', {
      next: 'Give it as the column stores it, for example as text.',
    })
  }
  return {
    column,
    value: given === undefined ? concatenated(['CURRENT_TIMESTAMP']) : boundValue(given),
    isUnmarked: (name) =>
      isTime
        ? concatenated([`${name} IS NULL`])
        : concatenated([`(${name} IS NULL OR ${name} <> `, boundValue(given), ')']),
  }
}

/** Throws `AfreshError` (`usage`) naming the tables that have no such column. */
export function refuseUnmarkable({ schema, groups }: ErasePlan, { column }: Mark): void {
  const lacking = groups
    .flatMap(({ tables }) => tables)
    .filter((id) => !tableOf(schema, id).columns.some(({ name }) => name === column))
  if (lacking.length === 0) return
  const labels = lacking.map((id) => labelOf(schema, id)).join(', ')
  throw new AfreshError('usage', `softDelete: there is no column ${JSON.stringify(column)} in ${labels}.`, {
    next: 'Rows that refer to marked ones are marked too: add the column there, or name another. No row was read.',
  })
}
