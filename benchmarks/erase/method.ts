import type { ServerEngine } from '../../src/server/server.ts'
import type { Client } from '../client.ts'
import type { Family } from './tree.ts'

export type EngineName = ServerEngine | 'sqlite'

/** `hand`: hand-written SQL for the schema. `loop`: the client reads keys. `orm`: the client reads rows. */
export type Kind = 'afresh' | 'hand' | 'declared' | 'loop' | 'orm'

/** One method to delete roots with all their descendants. */
export interface MethodInfo {
  readonly id: string
  /** The name in tables. */
  readonly label: string
  readonly kind: Kind
  /** The package that runs, or whose statements these are. */
  readonly source: string
  /** What readers must know about the measurement. */
  readonly note?: string
  readonly engines: readonly EngineName[]
  readonly family: Exclude<Family, 'stash'>
}

/** The database and the tree that a method works on. */
export interface MethodContext {
  readonly url: string
  readonly engine: EngineName
  readonly depth: number
  /**
   * How many roots to load at once to get about this many rows, as someone who knows the data would choose.
   */
  rootsFor(rows: number): number
  /** Opens a separate connection through the driver. */
  connect(): Promise<Client & { readonly handle: object }>
}

/** A running method in its own process. */
export interface Eraser {
  /** The measured operation. */
  erase(): Promise<void>
  close(): Promise<void>
}

export type OpenEraser = (context: MethodContext) => Promise<Eraser>
