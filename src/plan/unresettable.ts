import { AfreshError } from '../errors.ts'
import type { ForeignKey } from '../schema/schema.ts'
import { type Context, labelOf, movesKeptCounter } from './context.ts'

/** Throws one `AfreshError` (`plan`) before any test runs, naming all tables that no reset can restore. */
export function refuseUnresettable(context: Context): void {
  const problems = [...appendOnly(context), ...keptCounters(context), ...reachedFromElsewhere(context)]
  if (problems.length === 0) return
  throw new AfreshError(
    'plan',
    `No reset could bring these tables back:\n${problems.map((line) => `  - ${line}`).join('\n')}`,
    {
      next: 'Change what it says for the test database, or name the tables in `keep`: then resets leave them alone.',
    },
  )
}

function appendOnly({ order, tables }: Context): string[] {
  return order.flat().flatMap((id) => {
    const table = tables.get(id)
    if (table?.traits.includes('append-only') !== true) return []
    return [`"${table.label}" is an ARCHIVE table: the server neither deletes nor truncates its rows.`]
  })
}

function keptCounters(context: Context): string[] {
  return context.order.flat().flatMap((id) => {
    const isAscending = context.tables.get(id)?.traits.includes('ascending') === true
    if (!isAscending || !movesKeptCounter(context, id)) return []
    return [
      `"${labelOf(context, id)}" has a column FTS_DOC_ID and can only be emptied by TRUNCATE, which would restart ` +
        "its counter (sequences: 'keep').",
    ]
  })
}

const NON_WRITING_ACTIONS: readonly ForeignKey['onDelete'][] = ['no action', 'restrict']

/** Changes in another database cascade to every copy of the baseline, and no counter shows them. */
function reachedFromElsewhere({ schema, tables, kept }: Context): string[] {
  return schema.foreignKeys
    .filter(({ from, to }) => tables.has(from) && !kept.has(from) && !tables.has(to))
    .filter(
      ({ onDelete, onUpdate }) =>
        !NON_WRITING_ACTIONS.includes(onDelete) || !NON_WRITING_ACTIONS.includes(onUpdate),
    )
    .map(({ name, from, to, onDelete, onUpdate }) => {
      const rule = NON_WRITING_ACTIONS.includes(onDelete) ? `UPDATE ${onUpdate}` : `DELETE ${onDelete}`
      return (
        `"${tables.get(from)?.label}" refers to ${to} in another database by its foreign key "${name}", which says ` +
        `ON ${rule.toUpperCase()}: what is done there changes rows here and in the template.`
      )
    })
}
