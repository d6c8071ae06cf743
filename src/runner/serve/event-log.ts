import { time } from '../../util/clock.ts'

/** Rows that were written to a table since the last reset; `null` if they were not counted. */
export interface EventWrites {
  readonly table: string
  readonly inserted: number | null
  readonly updated: number | null
  readonly deleted: number | null
}

/** Something that was done to a database, and by whom. */
export interface LeaseEvent {
  /** Counted from 1. */
  readonly id: number
  readonly time: string
  readonly kind:
    | 'lease'
    | 'reset'
    | 'restore'
    | 'snapshot'
    | 'load'
    | 'erase'
    | 'release'
    | 'expire'
    | 'disconnect'
  readonly lease: string
  readonly database: string
  readonly worker: number
  /** As the client calls itself. */
  readonly client: string | null
  /** The test that ran before, as the client calls it. */
  readonly test: string | null
  /** The snapshot, the set of fixtures, or the table. */
  readonly subject: string | null
  /** What was found written; only of `reset` and `restore`. */
  readonly writes: readonly EventWrites[]
}

/** Old events make room for new ones. */
const MOST_EVENTS = 2_000

export class EventLog {
  readonly #events: LeaseEvent[] = []
  #last = 0

  add(event: Omit<LeaseEvent, 'id' | 'time'>): void {
    this.#events.push({ id: ++this.#last, time: new Date(time()).toISOString(), ...event })
    if (this.#events.length > MOST_EVENTS) this.#events.shift()
  }

  /** The events after that of an id, oldest first. `last`: the id to ask with next. */
  after(id: number): { readonly events: readonly LeaseEvent[]; readonly last: number } {
    return { events: this.#events.filter((event) => event.id > id), last: this.#last }
  }
}
