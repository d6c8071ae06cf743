/**
 * In: the requests of the workers of a run, as the process that holds the sessions sees them. Out: a summary
 * for the end of the run. Per request it costs two looks at the clock.
 */
import { now } from '../../util/clock.ts'
import { median } from '../../util/median.ts'
import { count, duration } from '../../util/words.ts'

/** What the summary names besides the requests. */
export interface StartFacts {
  readonly title: string
  readonly isTemplateNew: boolean
  /** Milliseconds from the first step to the handle for the workers. */
  readonly startMs: number
}

export class RunStatistics {
  readonly #begin: number
  readonly #resets: number[] = []
  readonly #databases = new Set<string>()
  #leases = 0
  #active = 0
  /** The most databases that were leased at the same time: so many workers ran side by side. */
  #most = 0
  #requestMs = 0

  constructor(begin: number = now()) {
    this.#begin = begin
  }

  /** Measures a request of a worker. */
  async measure<T>(isReset: boolean, work: () => Promise<T>): Promise<T> {
    const start = now()
    try {
      return await work()
    } finally {
      const took = now() - start
      this.#requestMs += took
      if (isReset) this.#resets.push(took)
    }
  }

  leased(database: string): void {
    this.#leases++
    this.#databases.add(database)
    this.#active++
    this.#most = Math.max(this.#most, this.#active)
  }

  released(): void {
    this.#active--
  }

  /** Lines for people. Workers that have sessions of their own, for strategy `rollback`, are not counted. */
  summary({ title, isTemplateNew, startMs }: StartFacts, end: number = now()): string[] {
    const template = isTemplateNew ? 'template built' : 'template kept'
    const ready = `${title}: ${template}, ready in ${duration(startMs)}`
    if (this.#leases === 0) return [ready]
    const runMs = end - this.#begin
    const ownMs = startMs + this.#requestMs / this.#most
    const share = Math.min(100, Math.round((100 * ownMs) / Math.max(runMs, 1)))
    return [
      ready,
      [
        this.#describeResets(),
        `${count(this.#leases, 'lease')} of ${count(this.#databases.size, 'database')}`,
        `${duration(ownMs)} of ${duration(runMs)} in afresh (${share} %)`,
      ].join('; '),
    ]
  }

  #describeResets(): string {
    const middle = median(this.#resets)
    if (middle === undefined) return 'no resets'
    const slowest = this.#resets.reduce((most, ms) => Math.max(most, ms))
    return `${count(this.#resets.length, 'reset')}, median ${duration(middle)}, slowest ${duration(slowest)}`
  }
}
