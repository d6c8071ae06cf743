import type { Claim } from '../engine/claim.ts'
import type { Connection } from '../engine/connection.ts'
import type { Engine } from '../engine/engine.ts'
import type { Fingerprint } from '../engine/fingerprint.ts'
import type { Detector } from '../engine/resetter.ts'
import type { Costs } from '../plan/cost.ts'
import type { SequenceMode, Strategy } from '../plan/plan.ts'

export interface ResetOptions {
  readonly strategy: Strategy
  readonly sequences: SequenceMode
  /** Names or globs of tables that are never touched. */
  readonly keep: readonly string[]
  /** Milliseconds to wait for another session's lock before the reset fails and names it. */
  readonly lockTimeoutMs: number
  readonly detector: Detector | 'auto'
  /** Before each reset, hold the detector against a scan, and fail where it missed something. */
  readonly crossCheck: boolean
}

export interface SessionInput {
  readonly engine: Engine
  readonly connection: Connection
  readonly options: ResetOptions
  readonly claim: Claim | undefined
  /** A database on the same server that holds the baseline too. */
  readonly template?: string | undefined
  /** The baseline's fingerprint, where it is known already. */
  readonly baseline?: Fingerprint | undefined
  /** Default: what is in the database now. */
  readonly from?: BaselineFrom | undefined
  /** What DELETE and TRUNCATE cost on this server. Default: the engine's. */
  readonly costs?: Costs | undefined
}

/** What the baseline is: what is in the database now, or nothing at all, with every sequence at its start. */
export type BaselineFrom = 'found' | 'nothing'
