import type { EraseDialect } from '../engine/erase-dialect.ts'
import { concatenated, joined, type Sql } from '../engine/sql/fragment.ts'
import { type TableId, tableOf } from '../schema/schema.ts'
import type { Builder } from './collect-rows.ts'
import type { Link } from './plan.ts'
import { countOf, type EraseStatement, eraseStatement, joinedTo, type Mark } from './statement.ts'

/** Counts the rows of the table that are deleted, or would be marked. */
export function counting(builder: Builder, id: TableId, mark: Mark | undefined): EraseStatement {
  const { syntax, selections, locks } = builder
  const from = joinedTo(syntax, selections.rows(id))
  const which = mark === undefined ? [] : [' WHERE ', unmarked(syntax, mark)]
  return eraseStatement('count', [id], countOf(syntax, concatenated([from, ...which]), locks), true)
}

/** Referring rows block an erase unless they are deleted as well, or are marked already. */
export function refusing(
  { plan, syntax, selections, locks }: Builder,
  link: Link,
  mark: Mark | undefined,
): EraseStatement {
  const { from } = link.key
  const staying = selections.staying(from)
  const isMarkable =
    mark !== undefined && tableOf(plan.schema, from).columns.some(({ name }) => name === mark.column)
  const which = [
    ...(staying === undefined ? [] : [concatenated([staying])]),
    ...(isMarkable ? [unmarked(syntax, mark)] : []),
  ]
  const where = which.length === 0 ? [] : [' WHERE ', joined(which, ' AND ')]
  const rows = concatenated([joinedTo(syntax, selections.referring(link)), ...where])
  return { ...eraseStatement('refused', [from], countOf(syntax, rows, locks), true), link }
}

export function unmarked({ ident }: EraseDialect, mark: Mark): Sql {
  return mark.isUnmarked(`r.${ident(mark.column)}`)
}
