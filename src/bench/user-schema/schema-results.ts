import { type TableId, tableOf } from '../../schema/schema.ts'
import { OWN_FACTOR } from '../cases.ts'
import { machine } from '../machine.ts'
import { methodById } from '../methods.ts'
import { type BenchResults, type Cell, joined } from '../results.ts'
import type { SchemaBenchContext } from './context.ts'
import type { SchemaBenchOptions } from './options.ts'
import { SCHEMA_METHODS } from './table-bench.ts'

export interface SchemaMeasurements {
  /** When the run began, in milliseconds. */
  readonly began: number
  /** The requested tables, with their case ids. */
  readonly cases: ReadonlyMap<TableId, string>
  readonly cells: readonly Cell[]
  /** Whether all requested tables are measured. */
  readonly complete: boolean
}

/** The results of this run, and those of the previous one that it has not replaced. */
export function schemaResults(
  { schema, server }: SchemaBenchContext,
  { rows, rounds, leastRounds, budgetMs, seed, previous }: SchemaBenchOptions,
  { began, cases: measured, cells, complete }: SchemaMeasurements,
): BenchResults {
  const measuredCases = [...measured].map(([id, name]) => ({
    id: name,
    factor: OWN_FACTOR,
    label: tableOf(schema, id).label,
  }))
  const others = (previous?.cases ?? []).filter(
    (benchCase) => !measuredCases.some(({ id }) => id === benchCase.id),
  )
  const cases = [...others, ...measuredCases]
  return {
    format: 1,
    date: previous?.date ?? new Date(began).toISOString(),
    tookSeconds: (previous?.tookSeconds ?? 0) + Math.round((Date.now() - began) / 1000),
    complete,
    machine: machine(),
    settings: {
      rows: [...new Set([...(previous?.settings.rows ?? []), ...rows])].toSorted((a, b) => a - b),
      cases: cases.map(({ id }) => id),
      methods: [...SCHEMA_METHODS],
      ...{ rounds, leastRounds, budgetMs, seed },
    },
    servers: [server],
    cases,
    methods: SCHEMA_METHODS.map(methodById).map(({ id, label, note }) => ({ id, label, note })),
    cells: joined(previous?.cells, cells),
  }
}
