import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ratioInterval } from '../../src/bench/bootstrap.ts'
import { type Crossover, crossoverOf } from '../../src/bench/crossover.ts'
import { type BenchResults, type Cell, findCell, parseResults } from '../../src/bench/results.ts'
import { summarize } from '../../src/bench/summary.ts'
import { type ExperimentServer, serverId } from './experiments.ts'

export const RESULTS = join(import.meta.dirname, 'results')

/** The results of an experiment; `undefined` if it was not run. */
export function resultsOf(name: string): BenchResults | undefined {
  const file = join(RESULTS, `${name}.json`)
  return existsSync(file) ? parseResults(readFileSync(file, 'utf8'), file) : undefined
}

/** `cpu`: processor time of the server, which other load on the machine hardly changes. */
export type Clock = 'cpu' | 'wall'

/** The cells with the processor time of the server in the place of the time that passed. */
export function byClock(results: BenchResults, clock: Clock): Cell[] {
  if (clock === 'wall') return results.cells
  return results.cells.flatMap((cell): Cell[] => {
    if (cell.outcome !== 'measured' || cell.cpuSamples === undefined) return []
    return [{ ...cell, ...summarize(cell.cpuSamples), samples: cell.cpuSamples }]
  })
}

export interface Place {
  readonly experiment: string
  readonly case: string
  readonly server: ExperimentServer
}

/** Where DELETE and TRUNCATE cross; `undefined` if that was not measured. */
export function crossingAt({ experiment, case: id, server }: Place, clock: Clock): Crossover | undefined {
  const results = resultsOf(experiment)
  if (results === undefined) return undefined
  const crossover = crossoverOf(byClock(results, clock), { server: serverId(server), case: id })
  return crossover.kind === 'unknown' ? undefined : crossover
}

export interface Ratio {
  readonly deleteMs: number
  readonly truncateMs: number
  /** DELETE over TRUNCATE, with its 95 % interval. */
  readonly ratio: number
  readonly low: number
  readonly high: number
}

/** DELETE against TRUNCATE at one number of rows; `undefined` if either was not measured. */
export function ratioAt(place: Place, rows: number, clock: Clock): Ratio | undefined {
  const results = resultsOf(place.experiment)
  if (results === undefined) return undefined
  const cells = byClock(results, clock)
  const [first, second] = ['delete', 'truncate'].map((method) =>
    findCell({ cells }, { server: serverId(place.server), case: place.case, rows, method }),
  )
  if (first?.outcome !== 'measured' || second?.outcome !== 'measured') return undefined
  return {
    deleteMs: first.median,
    truncateMs: second.median,
    ratio: first.median / second.median,
    ...ratioInterval(first, second),
  }
}
