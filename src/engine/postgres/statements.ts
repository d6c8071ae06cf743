import { type Plan, type Step, tablesOfStep } from '../../plan/plan.ts'
import { byId, type Schema, type Sequence, type Table, tableOf } from '../../schema/schema.ts'
import { LEAF } from './leaf-statements.ts'
import { dollar, ident, literal, only, qualified } from './quote.ts'
import { deleteDiffering, insertAll, insertMissing, notesVersions } from './repair.ts'
import { refresh } from './views.ts'

/** The SQL of a step, in order. */
export function statementsOf(schema: Schema, plan: Plan, step: Step): string[] {
  const tables = (ids: readonly string[]) => ids.map((id) => tableOf(schema, id))
  switch (step.kind) {
    case 'delete':
      return [deleteFrom(tables(step.tables))]
    case 'truncate':
      return [truncate(tables(step.tables))]
    case 'delete-differing':
      return [deleteDiffering(tableOf(schema, step.table), 'everywhere')]
    case 'insert-missing':
      return notesVersions(plan)
        ? tables(step.tables).map((table) => insertMissing(table, 'everywhere'))
        : [insertAll(tables(step.tables))]
    case 'refresh':
      return refresh(tableOf(schema, step.table))
    case 'restart':
      return restart(schema, step.sequence, step.to)
    case 'check':
      return [dangling(schema, step.foreignKey)]
  }
}

/** Several tables form a cycle: checks run at the end of the statement, when all of them are empty. */
function deleteFrom(tables: readonly Table[]): string {
  const [first] = tables
  if (tables.length === 1 && first !== undefined) return `DELETE FROM ${only(first)}`
  const parts = tables.map((table, i) => `d${i} AS (DELETE FROM ${only(table)} RETURNING 1)`)
  const counts = tables.map((_, i) => `SELECT FROM d${i}`)
  return `WITH ${parts.join(', ')} ${counts.join(' UNION ALL ')}`
}

export function truncate(tables: readonly Table[]): string {
  return `TRUNCATE ${tables.map(only).join(', ')}`
}

export const TRUNCATE_LEAF = `TRUNCATE ${LEAF}`

/** `setval` neither blocks nor requires ownership, but other sessions keep the values that they cached. */
function restart(
  schema: Schema,
  id: string,
  { value, called }: { value: bigint; called: boolean },
): string[] {
  const sequence = byId(schema).sequences.get(id)
  if (sequence === undefined) throw new Error(`no sequence with the id ${id}`)
  const setval = `SELECT pg_catalog.setval(${regclass(sequence)}, ${value}, ${called})`
  return sequence.cache > 1n
    ? [`ALTER SEQUENCE ${qualified(sequence)} RESTART WITH ${value}`, setval]
    : [setval]
}

function regclass(sequence: Sequence): string {
  return `${literal(qualified(sequence))}::pg_catalog.regclass`
}

/** Fails if a row of a kept table references a row that is gone. */
function dangling(schema: Schema, key: Extract<Step, { kind: 'check' }>['foreignKey']): string {
  const from = tableOf(schema, key.from)
  const to = tableOf(schema, key.to)
  const filled = key.columns.map((column) => `k.${ident(column)} IS NOT NULL`).join(' AND ')
  const pairs = key.columns.map(
    (column, i) => `r.${ident(key.referencedColumns[i] ?? '')} = k.${ident(column)}`,
  )
  const message = `${from.label} is kept, but rows of it refer to rows of ${to.label} that are not in the baseline`
  return `DO ${dollar(`BEGIN IF EXISTS (SELECT FROM ${qualified(from)} k WHERE ${filled} AND NOT EXISTS (SELECT FROM ${qualified(to)} r WHERE ${pairs.join(' AND ')}))
    THEN RAISE foreign_key_violation USING MESSAGE = ${literal(message)}; END IF; END`)}`
}

/** The same step for one partition, which `onLeaf` puts in; `undefined` for steps without such a variant. */
export function statementOnLeaf(schema: Schema, plan: Plan, step: Step): string | undefined {
  if (plan.strategy === 'truncate') return undefined
  const isOfRows = step.kind === 'delete-differing' || step.kind === 'insert-missing'
  if (step.kind !== 'delete' && !(isOfRows && notesVersions(plan))) return undefined
  const [id, ...others] = tablesOfStep(step)
  if (id === undefined || others.length > 0 || step.follows !== undefined) return undefined
  const table = tableOf(schema, id)
  if (!table.traits.includes('partitioned')) return undefined
  // By this comment, an error names the table of the partition.
  if (step.kind === 'delete') return `DELETE FROM ${LEAF} /* ${id} */`
  return step.kind === 'delete-differing' ? deleteDiffering(table, 'leaf') : insertMissing(table, 'leaf')
}

/**
 * The same step, restricted to the blocks that the WAL names instead of the whole table. `undefined` for
 * steps without such a variant.
 */
export function statementNear(schema: Schema, plan: Plan, step: Step): string | undefined {
  // A TRUNCATE by a step of the plan leaves no block behind.
  if (!notesVersions(plan) || plan.strategy === 'truncate') return undefined
  if (step.kind === 'delete-differing') return deleteDiffering(tableOf(schema, step.table), 'near')
  const [id] = step.kind === 'insert-missing' ? step.tables : []
  return id === undefined ? undefined : insertMissing(tableOf(schema, id), 'near')
}
