import type { MethodId } from '../engine/bench-dialect.ts'
import type { Engine } from '../engine/engine.ts'
import { withCleanUp } from '../errors.ts'
import type { BenchDatabase, BenchServer } from './bench-server.ts'
import type { Case } from './cases.ts'
import type { CellGroup } from './cell-group.ts'
import { METHODS } from './methods.ts'
import { type Room, reasonNotToFit } from './needs.ts'
import type { Cell } from './results.ts'

/** The methods to measure in a case. If other tables reference the table, they include TRUNCATE CASCADE. */
export function methodsIn({ id, shape }: Case, methods: readonly MethodId[]): MethodId[] {
  if (id === 'base') return [...methods]
  const everywhere = METHODS.filter((method) => method.everywhere).map((method) => method.id)
  const cascade = shape.children || shape.incoming !== 'none'
  return methods.filter((method) => everywhere.includes(method) || (cascade && method === 'truncate-cascade'))
}

/**
 * Why a group is not measured, as a phrase; `undefined` if it is.
 */
export function reasonAgainst({ rows, case: benchCase }: CellGroup, room: Room): string | undefined {
  return reasonNotToFit(benchCase, rows, room)
}

export function without(
  { server, case: { id }, rows, methods }: CellGroup,
  outcome: 'not possible' | 'left out',
  reason: string,
): Cell[] {
  return methods.map((method) => ({ server, case: id, rows, method, outcome, reason }))
}

export function groupedByCase(groups: readonly CellGroup[]): CellGroup[][] {
  const ids = [...new Set(groups.map((group) => group.case.id))]
  return ids.map((id) => groups.filter((group) => group.case.id === id))
}

/** Why an engine cannot measure a case, as a phrase; `undefined` if it can. */
export function reasonOfEngine({ bench }: Engine, { shape, past }: Case): string | undefined {
  if (past === 'checkpoint' && bench.checkpoint === undefined) return 'no statement makes a checkpoint'
  if (past === 'tidied' && bench.vacuum === undefined && bench.isPurged === undefined)
    return 'a page is free as soon as its rows are deleted'
  return bench.lacks(shape)
}

/** Runs `work` with as many databases as the case has workers, and closes them. */
export async function withDatabases(
  benchServer: BenchServer,
  { shape, workers }: Case,
  work: (benchDatabases: readonly BenchDatabase[], isInProcess: boolean) => Promise<void>,
): Promise<void> {
  const benchDatabases: BenchDatabase[] = []
  await withCleanUp(
    async () => {
      benchDatabases.push(await benchServer.build(shape))
      const isInProcess = ((await benchDatabases[0]?.others(1)) ?? []).length === 0
      while (!isInProcess && benchDatabases.length < workers)
        benchDatabases.push(await benchServer.build(shape))
      await work(benchDatabases, isInProcess)
    },
    async () => {
      for (const benchDatabase of benchDatabases) await benchDatabase.close()
    },
  )
}
