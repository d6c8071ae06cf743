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
  /** What DELETE and TRUNCATE cost, as it was measured before the first case. */
  readonly costs: Costs
  readonly measuredInMs: number
  readonly score: Score
  readonly cases: readonly (Case & Outcome & Verdict)[]
}

/** Milliseconds of the reset, by how it was done. */
export interface Outcome {
  readonly delete: Summary
  readonly truncate: Summary
  /** With the choice left to afresh, whatever finding the size takes included. */
  readonly auto: Summary
  /** In how many rounds `auto` chose TRUNCATE. */
  readonly truncated: number
  readonly detector: string
}

type Forced = 'delete' | 'truncate'

export interface Verdict {
  readonly chose: Forced
  readonly best: Forced
  /** The time of the way that was chosen to that of the faster one; 1 where they are the same. */
  readonly loss: number
  readonly isRight: boolean
}

/** What is lost at most where the two ways cannot be told apart. */
const TIE = 1.05

/**
 * Right is the way with the lower median; or the other one, where the middle halves of the two overlap and its median
 * is less than 5 % above. `auto` has chosen what it took in most of the rounds.
 */
export function judge(outcome: Outcome): Verdict {
  const chose = 2 * outcome.truncated > outcome.auto.n ? 'truncate' : 'delete'
  const best = outcome.truncate.median < outcome.delete.median ? 'truncate' : 'delete'
  const loss = outcome[chose].median / outcome[best].median
  return { chose, best, loss, isRight: chose === best || (overlap(outcome) && loss < TIE) }
}

/** Rounds, and how far apart the medians are: from there on nobody doubts which way is faster. */
const CLEAR = [
  { rounds: 5, ratio: 4 },
  { rounds: 9, ratio: 2 },
  { rounds: 15, ratio: 1.3 },
]

/** Where a round takes long there are few of them. */
const IN_HASTE = { rounds: 3, ratio: 2 }

/** Whether more rounds would tell nothing new. */
export function isClear(outcome: Outcome, { inHaste = false } = {}): boolean {
  const { delete: summary, truncate: other } = outcome
  const ratio = Math.max(summary.median / other.median, other.median / summary.median)
  const enough = inHaste ? [...CLEAR, IN_HASTE] : CLEAR
  return !overlap(outcome) && enough.some((least) => summary.n >= least.rounds && ratio >= least.ratio)
}

/** The slower way takes less than so many times the faster one. */
const CLOSE = 1.5

/** Whether a few rounds on a busy machine could have told the wrong one to be the faster. */
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
  /** What `auto` chose, then what was faster: how many cases. */
  readonly confusion: Readonly<Record<Forced, Readonly<Record<Forced, number>>>>
  /** The median of what `auto` took to what the faster way took, its own choosing included. */
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

/** The acceptance: 95 % right, and no loss of 1.3 or more. */
export function isGoodEnough({ right, of, worstLoss }: Score): boolean {
  return right >= 0.95 * of && worstLoss < 1.3
}
