import type { SequenceId, TableId } from '../../schema/schema.ts'
import { STATE } from '../mysql/detect.ts'
import { nextOf } from '../mysql/flavor.ts'
import { literal } from '../mysql/quote.ts'
import type { ResetContext } from '../mysql/reset-context.ts'
import { queryTogether } from '../mysql/session.ts'
import type { TrackedTable } from '../mysql/tracked-tables.ts'
import { mariadbFlavor } from './flavor.ts'

export interface MovedCounters {
  /** Sequences and counters that are not at the position of the plan. */
  readonly sequences: ReadonlySet<SequenceId>
  /** Approximate number of rows of each table. */
  readonly rows: ReadonlyMap<TableId, number>
}

/** One query reads all tables of a database in the time of so many that read one. */
const FEW = 20

/** Reads the positions of these tables and sequences, in one round trip. */
export async function findMoved(
  { connection, program: { schema, plan } }: ResetContext,
  tracked: readonly TrackedTable[],
): Promise<MovedCounters> {
  const tables = tracked.filter(({ table }) => table !== undefined)
  const free = tracked.filter(({ table }) => table === undefined).map(({ name }) => name)
  const statements = [
    ...(tables.length === 0 ? [] : [stateOf(tables.map(({ name }) => name))]),
    ...(free.length === 0 ? [] : [mariadbFlavor.sequences?.positions(free) ?? '']),
  ]
  if (statements.length === 0) return { sequences: new Set(), rows: new Map() }
  const results = (await queryTogether(connection, statements)).map(({ rows }) => rows)
  const state = new Map((tables.length === 0 ? [] : (results[0] ?? [])).map((row) => [String(row.name), row]))
  const positions = new Map(
    (free.length === 0 ? [] : (results.at(-1) ?? [])).map(({ ordinal, next }) => [
      free[Number(ordinal)],
      next,
    ]),
  )
  const names = new Set(tracked.map(({ name }) => name))
  const wanted = new Map(
    plan.steps.flatMap((step) => (step.kind === 'restart' ? [[step.sequence, step.to]] : [])),
  )
  const moved = schema.sequences.filter(({ id, name, kind, increment }) => {
    const to = wanted.get(id)
    if (to === undefined || !names.has(name)) return false
    const now = kind === 'sequence' ? positions.get(name) : state.get(name)?.next
    return String(now ?? 1) !== String(nextOf(to, increment))
  })
  return {
    sequences: new Set(moved.map(({ id }) => id)),
    rows: new Map(
      tables.flatMap(({ name, table }) =>
        table === undefined ? [] : [[table.id, Number(state.get(name)?.row_count ?? 0)] as const],
      ),
    ),
  }
}

function stateOf(names: readonly string[]): string {
  if (names.length > FEW) return STATE
  // The server reads a single table only for equality with a literal.
  return names.map((name) => `${STATE} AND table_name = ${literal(name)}`).join(' UNION ALL ')
}
