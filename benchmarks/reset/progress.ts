import type { Where } from './results.ts'

/** Prints on standard error what is measured now, and the remaining time. */
export class Progress {
  readonly #all: readonly Where[]
  readonly #start = Date.now()
  #done = 0

  constructor(all: readonly Where[]) {
    this.#all = all
  }

  cell({ server, tables, dirty, baseline }: Where): void {
    const what = baseline === 'reference' ? `${dirty} and reference rows dirty` : `${dirty} dirty`
    const progress = `${this.#done + 1}/${this.#all.length}`
    this.say(`${progress}  ${server}, ${tables} tables, ${what}${this.#left()}`)
    this.#done++
  }

  say(line: string): void {
    console.error(`[${duration(Date.now() - this.#start)}] ${line}`)
  }

  /** Estimated from the duration and size of the cells so far. */
  #left(): string {
    const done = weight(this.#all.slice(0, this.#done))
    if (done === 0) return ''
    const rest = weight(this.#all.slice(this.#done))
    return `  about ${duration(((Date.now() - this.#start) / done) * rest)} left`
  }
}

/** A cell with more tables takes longer, but less than proportionally: slow methods get fewer rounds. */
function weight(cells: readonly Where[]): number {
  return cells.reduce((sum, { tables }) => sum + Math.sqrt(tables), 0)
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
