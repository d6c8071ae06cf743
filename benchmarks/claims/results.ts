import type { Machine } from '../../src/bench/machine.ts'
import type { Answer, Verdict } from './claim.ts'
import type { EngineId } from './dialect.ts'

/** `failed`: the experiment was aborted, which says nothing about the claim. */
export type Outcome = Omit<Answer, 'verdict'> & { readonly verdict: Verdict | 'failed' }

export interface ServerResults {
  readonly id: string
  readonly title: string
  readonly version: string
  readonly engine: EngineId
  /** By the id of the claim. */
  readonly answers: Readonly<Record<string, Outcome>>
}

export interface Results {
  readonly format: 1
  readonly date: string
  readonly machine: Machine
  readonly claims: readonly { readonly id: string; readonly text: string }[]
  readonly servers: readonly ServerResults[]
}
