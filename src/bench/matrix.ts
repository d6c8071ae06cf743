import { messageOf, withCleanUp } from '../errors.ts'
import { randomFrom } from '../generate/random.ts'
import { plural } from '../plan/describe.ts'
import type { BenchServer } from './bench-server.ts'
import { CASES, type Storage } from './cases.ts'
import { type CellGroup, measureCellGroup } from './cell-group.ts'
import { conditionsText, settingsIn } from './conditions.ts'
import { Estimate, minutes } from './estimate.ts'
import {
  groupedByCase,
  methodsIn,
  reasonAgainst,
  reasonOfEngine,
  withDatabases,
  without,
} from './group-cells.ts'
import { locksOn } from './locks.ts'
import { type BenchSettings, matrixResults } from './matrix-results.ts'
import { neededBytes, type Room, roomText } from './needs.ts'
import { type BenchResults, type Cell, joined, matchesKey, type ServerResults } from './results.ts'
import { otherConditions } from './resume.ts'
import type { OpenTarget, Target } from './target.ts'

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
  run.announce()
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
    const { previous } = options
    this.#options = options
    this.#date = previous?.date ?? new Date(this.#began).toISOString()
    this.#before = previous?.tookSeconds ?? 0
    this.#servers = [...(previous?.servers ?? [])]
    // Failed cells are measured again.
    this.#cells = (previous?.cells ?? []).filter(({ outcome }) => outcome !== 'failed')
    this.#estimate = new Estimate(this.#fitting(), options)
  }

  /** One line: what is left to measure, and what it takes. */
  announce(): void {
    const { previous, onProgress } = this.#options
    const groups = this.#fitting()
    const most = Math.max(0, ...groups.map((group) => neededBytes(group.case, group.rows)))
    const known =
      previous === undefined
        ? ''
        : `continues: ${plural(this.#cells.length, 'figure')} ${this.#cells.length === 1 ? 'is' : 'are'} there already; `
    onProgress(
      groups.length === 0
        ? `${known}nothing is left to measure`
        : `${known}${plural(groups.length, 'size')} to measure, about ${minutes(this.#estimate.leftMs())} (a guess until the first ones are done), at most ${roomText(most)} for rows`,
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
    const settings = settingsIn(benchServer, target.room(storage))
    const conditions = conditionsText(settings)
    const server = this.#serverOf(target, storage, { benchServer, title, conditions })
    server.conditions[storage] = conditions
    server.settings = { ...server.settings, [storage]: settings }
    if (storage === 'memory' && Object.keys(server.locks).length === 0) {
      server.locks = await locksOn(benchServer, this.#options.methods)
    }
    for (const inCase of groupedByCase(groups))
      await this.#measureCase(benchServer, target.room(storage), inCase)
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
  #serverOf(
    target: Target,
    storage: Storage,
    { benchServer, title, conditions }: { benchServer: BenchServer; title: string; conditions: string },
  ): ServerResults {
    const { engine, version } = benchServer
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

  async #measureCase(benchServer: BenchServer, room: Room, groups: readonly CellGroup[]): Promise<void> {
    const [first] = groups
    if (first === undefined) return
    const reason = reasonOfEngine(benchServer.engine, first.case)
    if (reason !== undefined) {
      for (const group of groups) await this.#note(group, without(group, 'not possible', reason))
      return
    }
    const fitting: CellGroup[] = []
    for (const group of groups) {
      const reason = reasonAgainst(group, room)
      if (reason === undefined) fitting.push(group)
      else await this.#note(group, without(group, 'left out', reason))
    }
    if (fitting.length === 0) return
    await withDatabases(benchServer, first.case, async (benchDatabases, isInProcess) => {
      for (const group of fitting) {
        if (isInProcess && (group.case.readers > 0 || group.case.workers > 1)) {
          await this.#note(
            group,
            without(group, 'not possible', 'engines in this process have no other clients'),
          )
          continue
        }
        this.#options.onProgress(this.#estimate.line(group))
        const began = performance.now()
        const random = randomFrom(this.#options.seed + group.rows)
        const cells = await measureCellGroup(
          benchServer,
          benchDatabases,
          group,
          { ...this.#options, random },
          this.#cells,
        )
        this.#estimate.took(group, performance.now() - began, cells)
        await this.#note(group, cells)
      }
    })
  }

  async #note(group: CellGroup, cells: readonly Cell[]): Promise<void> {
    this.#cells = joined(this.#cells, cells)
    this.#estimate.done(group)
    await this.#options.onBlock(this.#results(false))
  }

  /** The groups of all targets that still lack cells, and for whose rows there is room. */
  #fitting(): CellGroup[] {
    return this.#options.targets.flatMap((target) =>
      this.#blocksOf(target, target.storages).filter(
        (group) => reasonAgainst(group, target.room(group.case.storage)) === undefined,
      ),
    )
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
    const tookSeconds = this.#before + Math.round((Date.now() - this.#began) / 1000)
    const { previous } = this.#options
    return matrixResults(
      { ...{ date: this.#date, tookSeconds, complete }, servers: this.#servers, cells: this.#cells },
      this.#options,
      previous?.settings,
    )
  }
}
