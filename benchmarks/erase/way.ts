import type { ServerEngine } from '../../src/server/server.ts'
import type { Client } from '../client.ts'
import type { Family } from './tree.ts'

export type EngineName = ServerEngine | 'sqlite'

/** `hand`: SQL that somebody writes who knows the schema. `loop`: keys come to the client. `orm`: so do rows. */
export type Kind = 'afresh' | 'hand' | 'declared' | 'loop' | 'orm'

/** One way to delete roots with everything below them. */
export interface WayFacts {
  readonly id: string
  /** For people, in tables. */
  readonly label: string
  readonly kind: Kind
  /** The package that it is measured with, or whose statements these are. */
  readonly source: string
  /** What a reader must know of how it was measured here. */
  readonly note?: string
  readonly engines: readonly EngineName[]
  readonly family: Exclude<Family, 'stash'>
}

/** Where a way finds its tables. */
export interface Place {
  readonly url: string
  readonly engine: EngineName
  readonly depth: number
  /** How many roots to load at once so that some so many rows come: somebody would who knows the data. */
  rootsFor(rows: number): number
  /** A connection by the driver, of the way's own. */
  connect(): Promise<Client & { readonly handle: object }>
}

/** A way at work, in a process of its own. */
export interface Eraser {
  /** What is measured. */
  erase(): Promise<void>
  close(): Promise<void>
}

export type OpenWay = (context: Place) => Promise<Eraser>
