import type { Machine } from '../../src/bench/machine.ts'
import type { Summary } from '../../src/bench/measure.ts'
import type { Costs } from '../../src/plan/cost.ts'
import type { Case } from './cases.ts'

export interface Results {
  readonly format: 1
  readonly date: string
  readonly machine: Machine
  readonly settings: { readonly seed: number; readonly cases: number; readonly tookSeconds: number }
  readonly servers: readonly ServerResults[]
}

export interface ServerResults {
  readonly id: string
  readonly title: string
  readonly version: string
  /** The costs of DELETE and TRUNCATE, measured before the first case. */
  readonly costs: Costs
  readonly measuredInMs: number
  readonly score: Score
  readonly cases: readonly (Case & Outcome & Verdict)[]
}

/** Milliseconds of the reset, by method. */
export interface Outcome {
  readonly delete: Summary
  readonly truncate: Summary
  /** The choice of afresh, including the time to determine the size. */
  readonly auto: Summary
  /** The number of rounds in which `auto` chose TRUNCATE. */
  readonly truncated: number
  readonly detector: string
}

type Forced = 'delete' | 'truncate'

export interface Verdict {
  readonly chose: Forced
  readonly best: Forced
  /** The time of the chosen method divided by that of the faster one; 1 if they are the same. */
  readonly loss: number
  readonly isRight: boolean
}

/** The largest accepted loss where the methods are indistinguishable. */
const TIE = 1.05

/**
 * The right method is the one with the lower median, or the other one if the interquartile ranges overlap and
 * its median is less than 5 % higher. The choice of `auto` is that of most rounds.
 */
export function judge(outcome: Outcome): Verdict {
  const chose = 2 * outcome.truncated > outcome.auto.n ? 'truncate' : 'delete'
  const best = outcome.truncate.median < outcome.delete.median ? 'truncate' : 'delete'
  const loss = outcome[chose].median / outcome[best].median
  return { chose, best, loss, isRight: chose === best || (overlap(outcome) && loss < TIE) }
}

/** Rounds, and the ratio of the medians from which the faster method is certain. */
const CLEAR = [
  { rounds: 5, ratio: 4 },
  { rounds: 9, ratio: 2 },
  { rounds: 15, ratio: 1.3 },
]

/** Long rounds are few. */
const IN_HASTE = { rounds: 3, ratio: 2 }

/** Whether more rounds would not change the result. */
export function isClear(outcome: Outcome, { inHaste = false } = {}): boolean {
  const { delete: summary, truncate: other } = outcome
  const ratio = Math.max(summary.median / other.median, other.median / summary.median)
  const enough = inHaste ? [...CLEAR, IN_HASTE] : CLEAR
  return !overlap(outcome) && enough.some((least) => summary.n >= least.rounds && ratio >= least.ratio)
}

/** The slower method takes less than this many times as long as the faster one. */
const CLOSE = 1.5

/** Whether a few rounds on a busy machine could have identified the wrong method as faster. */
export function isClose({ delete: summary, truncate: other }: Outcome): boolean {
  return Math.max(summary.median / other.median, other.median / summary.median) < CLOSE
}

function overlap({ delete: summary, truncate: other }: Outcome): boolean {
  return summary.q1 <= other.q3 && other.q1 <= summary.q3
}

export interface Score {
  readonly right: number
  readonly of: number
  readonly worstLoss: number
  /** The number of cases by the choice of `auto`, then by the faster method. */
  readonly confusion: Readonly<Record<Forced, Readonly<Record<Forced, number>>>>
  /** The median ratio of the time of `auto`, including its choice, to the time of the faster method. */
  readonly autoToBest: number
}

export function scoreOf(cases: readonly (Outcome & Verdict)[]): Score {
  const count = (chose: Forced, best: Forced) =>
    cases.filter((benchCase) => benchCase.chose === chose && benchCase.best === best).length
  const ratios = cases
    .map(({ auto, best, ...times }) => auto.median / times[best].median)
    .sort((a, b) => a - b)
  return {
    right: cases.filter(({ isRight }) => isRight).length,
    of: cases.length,
    worstLoss: Math.max(1, ...cases.map(({ loss }) => loss)),
    confusion: {
      delete: { delete: count('delete', 'delete'), truncate: count('delete', 'truncate') },
      truncate: { delete: count('truncate', 'delete'), truncate: count('truncate', 'truncate') },
    },
    autoToBest: ratios[Math.floor(ratios.length / 2)] ?? 1,
  }
}

/** The acceptance criterion: 95 % right, and no loss of 1.3 or more. */
export function isGoodEnough({ right, of, worstLoss }: Score): boolean {
  return right >= 0.95 * of && worstLoss < 1.3
}
