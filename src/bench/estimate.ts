import type { MethodId } from '../engine/bench-dialect.ts'
import { allRows } from './cases.ts'
import type { CellGroup } from './cell-group.ts'
import { leastRoundsFor } from './measure.ts'
import type { Cell } from './results.ts'

export interface Effort {
  readonly rounds: number
  readonly leastRounds: number
  readonly budgetMs: number
  readonly limitMs: number
}

/** Milliseconds of one round, and of the part of it that is timed. */
interface Pace {
  readonly roundMs: number
  readonly timedMs: number
}

/** A measured group of one server. */
interface Known extends Pace {
  readonly server: string
  readonly method: string
  readonly rows: number
}

/** With fewer rows than this in all tables, round trips dominate. */
const TELLING_ROWS = 10_000
/** Warm-up rounds, and those with a reader. */
const UNCOUNTED_ROUNDS = 3
/** Before anything is measured: a round trip, and microseconds to write and delete a row, as MariaDB takes. */
const UNKNOWN: { readonly fixedMs: number; readonly perRowMs: number } = { fixedMs: 6, perRowMs: 0.006 }

/** Estimates the time that a run takes, and what is left of it, from what was measured so far. */
export class Estimate {
  #left: readonly CellGroup[]
  readonly #all: number
  readonly #effort: Effort
  #known: Known[] = []

  constructor(groups: readonly CellGroup[], effort: Effort) {
    this.#left = groups
    this.#all = groups.length
    this.#effort = effort
  }

  /** @param cells of the group, whose share of `ms` is that of their rounds */
  took(group: CellGroup, ms: number, cells: readonly Cell[]): void {
    const timed = cells.flatMap((cell) =>
      cell.outcome === 'measured' ? [{ method: cell.method, n: cell.n, timedMs: cell.median }] : [],
    )
    const rounds = timed.reduce((sum, { n }) => sum + n + UNCOUNTED_ROUNDS, 0)
    if (rounds === 0) return
    const timedOfAll = timed.reduce((sum, { n, timedMs }) => sum + (n + UNCOUNTED_ROUNDS) * timedMs, 0)
    // Creating the rows takes each method equally long.
    const untimedMs = Math.max(0, ms - timedOfAll) / rounds
    const rows = allRows(group.case, group.rows)
    this.#known.push(
      ...timed.map(({ method, timedMs }) => ({
        server: group.server,
        method,
        rows,
        timedMs,
        roundMs: untimedMs + timedMs,
      })),
    )
  }

  done(group: CellGroup): void {
    this.#left = this.#left.filter(
      ({ server, case: { id }, rows }) =>
        server !== group.server || id !== group.case.id || rows !== group.rows,
    )
  }

  /** A line with the current group and the remaining time. */
  line({ server, case: { id }, rows }: CellGroup): string {
    const progress = `${this.#all - this.#left.length + 1}/${this.#all}`
    const rest = this.#known.length === 0 ? '' : `, about ${minutes(this.leftMs())} left`
    return `${progress}  ${server}, ${id}, ${rows.toLocaleString('en-US')} rows${rest}`
  }

  /** Milliseconds. Before the first measurement, what a slow server would take. */
  leftMs(): number {
    return this.#left.reduce(
      (sum, group) => sum + group.methods.reduce((ms, method) => ms + this.#costOf(group, method), 0),
      0,
    )
  }

  #costOf(group: CellGroup, method: MethodId): number {
    const { rounds, leastRounds, budgetMs, limitMs } = this.#effort
    const { roundMs, timedMs } = this.#paceOf(group, method)
    // It is extrapolated instead.
    if (timedMs > limitMs) return 0
    const affordable = Math.floor(budgetMs / Math.max(roundMs, 0.01))
    const least = Math.min(rounds, leastRoundsFor(timedMs, leastRounds))
    return roundMs * (Math.min(rounds, Math.max(least, affordable)) + UNCOUNTED_ROUNDS)
  }

  /** Of the nearest size that was measured on this server, or else on another, in proportion to the rows. */
  #paceOf(group: CellGroup, method: string): Pace {
    const rows = allRows(group.case, group.rows)
    const ofServer = this.#known.filter(({ server }) => server === group.server)
    const known = ofServer.length > 0 ? ofServer : this.#known
    const ofMethod = known.filter((one) => one.method === method)
    const [nearest] = (ofMethod.length > 0 ? ofMethod : known).toSorted(
      (a, b) => distance(a.rows, rows) - distance(b.rows, rows),
    )
    if (nearest === undefined) {
      const ms = UNKNOWN.fixedMs + UNKNOWN.perRowMs * rows
      return { roundMs: ms, timedMs: ms / 3 }
    }
    const more = Math.max(0, rows - Math.max(nearest.rows, 0))
    if (nearest.rows >= TELLING_ROWS || rows <= nearest.rows) {
      const factor = rows <= TELLING_ROWS ? 1 : Math.max(1, rows) / Math.max(nearest.rows, TELLING_ROWS)
      return { roundMs: nearest.roundMs * factor, timedMs: nearest.timedMs * factor }
    }
    const perRowMs = this.#perRowMs(known)
    return {
      roundMs: nearest.roundMs + perRowMs * more,
      timedMs: nearest.timedMs + (isOfFiles(method) ? 0 : (perRowMs * more) / 3),
    }
  }

  /** By the smallest and the largest size so far; as a slow server, if they are too small to tell. */
  #perRowMs(known: readonly Known[]): number {
    const sorted = known.toSorted((a, b) => a.rows - b.rows)
    const [first, last] = [sorted[0], sorted.at(-1)]
    if (first === undefined || last === undefined || last.rows < TELLING_ROWS / 10) return UNKNOWN.perRowMs
    const of = (rows: number) => {
      const same = sorted.filter((one) => one.rows === rows)
      return same.reduce((sum, one) => sum + one.roundMs, 0) / same.length
    }
    return Math.max(0, of(last.rows) - of(first.rows)) / Math.max(1, last.rows - first.rows)
  }
}

/** Whether the method removes files, whatever they contain. */
function isOfFiles(method: string): boolean {
  return /^(truncate|drop|swap|clone)/.test(method)
}

function distance(a: number, b: number): number {
  return Math.abs(Math.log10(a + 1) - Math.log10(b + 1))
}

export function minutes(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} min`
}
