import type { ServerEngine } from '../../src/server/server.ts'
import type { Client } from '../client.ts'
import type { BenchServer } from '../servers.ts'

/** One way to reset a database between two tests. */
export interface Way {
  readonly id: string
  /** For people, in tables and charts. */
  readonly label: string
  readonly kind: Kind
  /** Where its statements come from: a package by its name, or whose habit it is. */
  readonly source: string
  /** What a reader must know of how it was measured here. */
  readonly note?: string
  readonly engines: readonly ServerEngine[]
  /** Needs a container, since it works by commands run inside. */
  readonly containerOnly?: true
  open(context: Place): Promise<OpenWay>
}

/** `floor`: resets nothing. `hand`: told which tables are dirty. `rollback`: a transaction around the test. */
export type Kind = 'afresh' | 'floor' | 'hand' | 'peer' | 'rollback'

/** What a way finds: a server, and the means to get a database with the schema. */
export interface Place {
  readonly server: BenchServer
  readonly engine: ServerEngine
  readonly tables: readonly string[]
  readonly hasReference: boolean
  /** Makes the schema, in the database that the URL leads to. */
  readonly schemaSql: string
  /** A new database with the schema; gone when the cell ends. */
  database(name: string): Promise<string>
  /** On the server's own database. */
  readonly admin: Client
}

/** A way at work on a database of its own. */
export interface OpenWay {
  /** Where the test writes, from a connection of its own. */
  url(): string
  /** The one connection whose writes the way can undo; those of others stay. */
  readonly client?: Client
  /** What happens before a test and does not count. */
  begin?(): Promise<void>
  /** What is measured. Only `hand` looks at what is dirty. */
  reset(dirty: readonly number[]): Promise<void>
  /** The database was swapped: clients must connect again, which does not count either. */
  readonly swaps?: true
  close(): Promise<void>
}

export const EVERYWHERE: readonly ServerEngine[] = ['postgres', 'mysql', 'mariadb']
export const POSTGRES: readonly ServerEngine[] = ['postgres']
export const MYSQL: readonly ServerEngine[] = ['mysql', 'mariadb']

/** A way that is nothing but SQL over one connection. */
export async function overConnection(
  url: string,
  connect: (url: string) => Promise<Client>,
  reset: (client: Client, dirty: readonly number[]) => Promise<void>,
): Promise<OpenWay> {
  const client = await connect(url)
  return { url: () => url, reset: (dirty) => reset(client, dirty), close: () => client.close() }
}
