import { AfreshError } from '../errors.ts'
import { type Context, closureOf, isHierarchy, keysOfKept, labelOf } from './context.ts'

/** Throws one `AfreshError` (`plan`) with all ways in which the plan would change kept or foreign tables. */
export function rejectReachedKeptTables(context: Context): void {
  const problems = [...foreignPartitions(context), ...cascadesIntoKept(context), ...truncatesOfKept(context)]
  if (problems.length === 0) return
  throw new AfreshError(
    'plan',
    `The plan would have to touch tables that are kept:\n${problems.map((line) => `  - ${line}`).join('\n')}`,
    {
      next: 'Name the tables on both ends in `keep`, or take the kept one out of it.',
    },
  )
}

function foreignPartitions({ schema, kept }: Context): string[] {
  return schema.tables
    .filter((table) => table.traits.includes('foreign') && isHierarchy(table) && !kept.has(table.id))
    .map(
      ({ label }) =>
        `"${label}" has foreign tables below it: emptying it would empty them on the other server.`,
    )
}

function cascadesIntoKept(context: Context): string[] {
  return keysOfKept(context)
    .filter(({ onDelete }) => onDelete !== 'no action' && onDelete !== 'restrict')
    .map(
      ({ from, to, name, onDelete }) =>
        `"${labelOf(context, from)}" is kept, but deleting from "${labelOf(context, to)}" would reach it: ` +
        `its foreign key "${name}" says ON DELETE ${onDelete.toUpperCase()}.`,
    )
}

function truncatesOfKept(context: Context): string[] {
  const { input, order } = context
  if (input.strategy !== 'truncate' || !input.capabilities.truncateNeedsClosure) return []
  return order.flat().flatMap((id) =>
    closureOf(context, id)
      .filter((member) => context.kept.has(member))
      .map(
        (member) =>
          `"${labelOf(context, member)}" is kept, but TRUNCATE of "${labelOf(context, id)}" would have to empty it ` +
          'too (strategy "delete" would not).',
      ),
  )
}
