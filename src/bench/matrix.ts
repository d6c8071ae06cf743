import type { MethodId } from '../engine/bench-dialect.ts'
import { messageOf, withCleanUp } from '../errors.ts'
import { randomFrom } from '../generate/random.ts'
import type { BenchServer } from './bench-server.ts'
import { CASES, type Storage } from './cases.ts'
import { type CellGroup, measureCellGroup } from './cell-group.ts'
import { Estimate } from './estimate.ts'
import { groupedByCase, methodsIn, reasonAgainst, without } from './group-cells.ts'
import { locksOn } from './locks.ts'
import { machine } from './machine.ts'
import { METHODS } from './methods.ts'
import { type BenchResults, type Cell, joined, matchesKey, type ServerResults } from './results.ts'
import { otherConditions } from './resume.ts'
import type { OpenTarget, Target } from './target.ts'

/** What to measure, and how thoroughly. */
export interface BenchSettings {
  /** Numbers of rows, ascending. */
  readonly rows: readonly number[]
  /** Case ids. */
  readonly cases: readonly string[]
  readonly methods: readonly MethodId[]
  /** Maximum and minimum number of rounds per cell. */
  readonly rounds: number
  readonly leastRounds: number
  /** Limits in milliseconds for a method: per cell, including the creation of rows, and per single run. */
  readonly budgetMs: number
  readonly limitMs: number
  readonly seed: number
  /** Stops before the next round, and drops what was created on the server. */
  readonly signal?: AbortSignal | undefined
  /** Called with a line of text. */
  readonly onProgress: (line: string) => void
}

export interface MatrixOptions extends BenchSettings {
  readonly targets: readonly Target[]
  /** Results of an earlier run. Its cells are not measured again. */
  readonly previous?: BenchResults | undefined
  /** Called after each group with all results so far. */
  readonly onBlock: (results: BenchResults) => Promise<void>
}

/**
 * Measures every method of every case on every target, smaller tables first.
 *
 * @throws AfreshError if a server does not start; `onBlock` has received the results so far
 */
export async function measureMatrix(options: MatrixOptions): Promise<BenchResults> {
  const run = new MatrixRun(options)
  for (const target of options.targets) await run.measure(target)
  return run.finish()
}

class MatrixRun {
  readonly #options: MatrixOptions
  readonly #began = Date.now()
  readonly #date: string
  readonly #before: number
  readonly #servers: ServerResults[]
  #cells: Cell[]
  readonly #estimate: Estimate

  constructor(options: MatrixOptions) {
    const { previous, targets } = options
    this.#options = options
    this.#date = previous?.date ?? new Date(this.#began).toISOString()
    this.#before = previous?.tookSeconds ?? 0
    this.#servers = [...(previous?.servers ?? [])]
    // Failed cells are measured again.
    this.#cells = (previous?.cells ?? []).filter(({ outcome }) => outcome !== 'failed')
    this.#estimate = new Estimate(
      targets.flatMap((target) => this.#blocksOf(target, target.storages)),
      options.budgetMs,
    )
  }

  async measure(target: Target): Promise<void> {
    for (const storage of target.storages) {
      const groups = this.#blocksOf(target, [storage])
      if (groups.length === 0) continue
      this.#options.onProgress(`${target.id}: starts${storage === 'memory' ? '' : ` (${storage})`}`)
      const open = await target.open(storage, this.#options.onProgress)
      await withCleanUp(
        () => this.#measureOn(target, storage, open, groups),
        () => open.close(),
      )
    }
  }

  async finish(): Promise<BenchResults> {
    const results = this.#results(true)
    await this.#options.onBlock(results)
    return results
  }

  async #measureOn(
    target: Target,
    storage: Storage,
    { benchServer, title }: OpenTarget,
    groups: readonly CellGroup[],
  ): Promise<void> {
    const server = this.#serverOf(target, storage, benchServer, title)
    server.conditions[storage] = benchServer.conditions
    if (storage === 'memory' && Object.keys(server.locks).length === 0) {
      server.locks = await locksOn(benchServer, this.#options.methods)
    }
    for (const inCase of groupedByCase(groups)) await this.#measureCase(benchServer, inCase)
    if (storage === 'memory') await this.#calibrate(target, benchServer)
  }

  /** A failure to store costs must not lose the results. */
  async #calibrate({ id }: Target, benchServer: BenchServer): Promise<void> {
    this.#options.onProgress(`${id}: measures the costs for strategy \`auto\``)
    try {
      await benchServer.calibrate()
    } catch (error) {
      this.#options.onProgress(`The costs of DELETE and TRUNCATE could not be kept: ${messageOf(error)}`)
    }
  }

  /** A file can contain only one server per id. */
  #serverOf(target: Target, storage: Storage, benchServer: BenchServer, title: string): ServerResults {
    const { engine, version, conditions } = benchServer
    const known = this.#servers.find(({ id }) => id === target.id)
    if (known !== undefined) {
      const was = [known.engine, known.version, known.conditions[storage] ?? conditions].join(' ')
      const is = [engine.title, version, conditions].join(' ')
      if (was !== is) throw otherConditions('The folder', [`as ${target.id} ${was} rather than ${is}`])
      return known
    }
    const server = { id: target.id, title, engine: engine.title, version, conditions: {}, locks: {} }
    this.#servers.push(server)
    return server
  }

  async #measureCase(benchServer: BenchServer, groups: readonly CellGroup[]): Promise<void> {
    const [first] = groups
    if (first === undefined) return
    const reason = benchServer.engine.bench.lacks(first.case.shape)
    if (reason !== undefined) {
      for (const group of groups) await this.#note(group, without(group, 'not possible', reason))
      return
    }
    const benchDatabase = await benchServer.build(first.case.shape)
    const inProcess = (await benchDatabase.others(1)).length === 0
    await withCleanUp(
      async () => {
        for (const group of groups) {
          if (inProcess && group.case.readers > 0) {
            await this.#note(group, without(group, 'not possible', 'in-process engines allow no readers'))
            continue
          }
          const reason = reasonAgainst(group)
          if (reason !== undefined) {
            await this.#note(group, without(group, 'left out', reason))
            continue
          }
          this.#options.onProgress(this.#estimate.line(group))
          const began = performance.now()
          const random = randomFrom(this.#options.seed + group.rows)
          const cells = await measureCellGroup(
            benchServer,
            benchDatabase,
            group,
            { ...this.#options, random },
            this.#cells,
          )
          this.#estimate.took(group, performance.now() - began)
          await this.#note(group, cells)
        }
      },
      () => benchDatabase.close(),
    )
  }

  async #note(group: CellGroup, cells: readonly Cell[]): Promise<void> {
    this.#cells = joined(this.#cells, cells)
    this.#estimate.done(group)
    await this.#options.onBlock(this.#results(false))
  }

  /** The groups that still lack cells. */
  #blocksOf(target: Target, storages: readonly Storage[]): CellGroup[] {
    const { cases, methods, rows } = this.#options
    // An empty table measures only round trips, which are the same in all cases.
    const variedRows = rows.filter((count) => count > 0)
    const wanted = CASES.filter(({ id, storage }) => cases.includes(id) && storages.includes(storage))
    return wanted.flatMap((benchCase) =>
      (benchCase.id === 'base' ? rows : variedRows).flatMap((count): CellGroup[] => {
        const key = { server: target.id, case: benchCase.id, rows: count }
        const missing = methodsIn(benchCase, methods).filter(
          (method) =>
            !this.#cells.some((cell) => matchesKey(cell, { ...key, method }) && this.#isKnown(cell)),
        )
        return missing.length === 0
          ? []
          : [{ server: target.id, case: benchCase, rows: count, methods: missing }]
      }),
    )
  }

  /** `false` for a cell that was extrapolated because of a lower limit than the current one. */
  #isKnown(cell: Cell): boolean {
    return (
      cell.outcome !== 'extrapolated' || !((cell.limitMs ?? Number.POSITIVE_INFINITY) < this.#options.limitMs)
    )
  }

  #results(complete: boolean): BenchResults {
    const { rows, rounds, leastRounds, budgetMs, seed } = this.#options
    const before = this.#options.previous?.settings
    const cases = CASES.filter(({ id }) => [...(before?.cases ?? []), ...this.#options.cases].includes(id))
    const methods = METHODS.filter(({ id }) =>
      [...(before?.methods ?? []), ...this.#options.methods].includes(id),
    )
    return {
      format: 1,
      date: this.#date,
      tookSeconds: this.#before + Math.round((Date.now() - this.#began) / 1000),
      complete,
      machine: machine(),
      settings: {
        rows: [...new Set([...(before?.rows ?? []), ...rows])].toSorted((a, b) => a - b),
        cases: cases.map(({ id }) => id),
        methods: methods.map(({ id }) => id),
        rounds,
        leastRounds,
        budgetMs,
        seed,
      },
      servers: this.#servers,
      cases: cases.map(({ id, factor, label }) => ({ id, factor, label })),
      methods: methods.map(({ id, label, note }) => ({ id, label, note })),
      cells: this.#cells,
    }
  }
}
