import type { Where } from './results.ts'

/** Lines on standard error: what is measured now, and how long the rest will take. */
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

  /** By what the cells so far have taken for their size. */
  #left(): string {
    const done = weight(this.#all.slice(0, this.#done))
    if (done === 0) return ''
    const rest = weight(this.#all.slice(this.#done))
    return `  about ${duration(((Date.now() - this.#start) / done) * rest)} left`
  }
}

/** A cell of more tables takes longer, though not in proportion: slow ways get fewer rounds. */
function weight(cells: readonly Where[]): number {
  return cells.reduce((sum, { tables }) => sum + Math.sqrt(tables), 0)
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
