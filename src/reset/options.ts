import type { Claim } from '../engine/claim.ts'
import type { Connection } from '../engine/connection.ts'
import type { Engine } from '../engine/engine.ts'
import type { Fingerprint } from '../engine/fingerprint.ts'
import type { DatabaseState, Detector, PristineCopy } from '../engine/resetter.ts'
import type { Costs } from '../plan/cost.ts'
import type { SequenceMode, Strategy } from '../plan/plan.ts'
import type { Schema } from '../schema/schema.ts'

export interface ResetOptions {
  readonly strategy: Strategy
  readonly sequences: SequenceMode
  /** Names or globs of tables that no reset touches. */
  readonly keep: readonly string[]
  /** Milliseconds to wait for another session's lock before the reset fails and names that session. */
  readonly lockTimeoutMs: number
  readonly detector: Detector | 'auto'
  /** Before each reset, compare the detector with a scan, and fail if the detector missed something. */
  readonly crossCheck: boolean
}

export interface SessionInput {
  readonly engine: Engine
  readonly connection: Connection
  readonly options: ResetOptions
  readonly claim: Claim | undefined
  /** See `Program`. */
  readonly isLeasedElsewhere?: boolean | undefined
  /** A database on the same server that also holds the baseline. */
  readonly template?: string | undefined
  /** See `Program`. */
  readonly copyName?: string | undefined
  /** The contents of the catalog, if they are already known. */
  readonly known?: KnownCatalog | undefined
  /** See `Program`. */
  readonly findings?: Map<string, string> | undefined
  /** See `Program`. */
  readonly pristine?: PristineCopy | undefined
  /** The baseline's fingerprint, if it is already known. */
  readonly baseline?: Fingerprint | undefined
  /** Default: `found`. */
  readonly from?: BaselineFrom | undefined
  /** Costs of DELETE and TRUNCATE on this server. Default: the engine's. */
  readonly costs?: Costs | undefined
}

/** What planning reads of a database. */
export interface KnownCatalog {
  readonly found: Schema
  readonly survey: DatabaseState
}

/** The baseline: the current contents of the database, or no rows and every sequence at its start. */
export type BaselineFrom = 'found' | 'nothing'
