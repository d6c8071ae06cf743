import type { ServerEngine } from '../../src/server/server.ts'
import type { Client } from '../client.ts'
import type { BenchServer } from '../servers.ts'

/** One method to reset a database between two tests. */
export interface Method {
  readonly id: string
  /** The name in tables and charts. */
  readonly label: string
  readonly kind: Kind
  /** The source of its statements: the name of a package, or a description. */
  readonly source: string
  /** What readers must know about the measurement. */
  readonly note?: string
  readonly engines: readonly ServerEngine[]
  /** Needs a container, in which it runs commands. */
  readonly containerOnly?: true
  open(context: MethodContext): Promise<OpenMethod>
}

/** `floor`: resets nothing. `hand`: knows the dirty tables. `rollback`: a transaction around the test. */
export type Kind = 'afresh' | 'floor' | 'hand' | 'peer' | 'rollback'

/** The environment of a method: a server, and the means to create a database with the schema. */
export interface MethodContext {
  readonly server: BenchServer
  readonly engine: ServerEngine
  readonly tables: readonly string[]
  readonly hasReference: boolean
  /** Creates the schema in the database of the connection. */
  readonly schemaSql: string
  /** Creates a database with the schema, and returns its URL. It is dropped when the cell ends. */
  database(name: string): Promise<string>
  /** A connection to the server's default database. */
  readonly admin: Client
}

/** A method in use on its own database. */
export interface OpenMethod {
  /** The database that the test writes to, over a separate connection. */
  url(): string
  /** The only connection whose writes the method can undo. */
  readonly client?: Client
  /** Runs before a test, and is not timed. */
  begin?(): Promise<void>
  /** The timed reset. Only `hand` uses `dirty`. */
  reset(dirty: readonly number[]): Promise<void>
  /** The database is replaced: clients must reconnect, which is not timed. */
  readonly swaps?: true
  close(): Promise<void>
}

export const EVERYWHERE: readonly ServerEngine[] = ['postgres', 'mysql', 'mariadb']
export const POSTGRES: readonly ServerEngine[] = ['postgres']
export const MYSQL: readonly ServerEngine[] = ['mysql', 'mariadb']

/** A method that consists of SQL on one connection. */
export async function overConnection(
  url: string,
  connect: (url: string) => Promise<Client>,
  reset: (client: Client, dirty: readonly number[]) => Promise<void>,
): Promise<OpenMethod> {
  const client = await connect(url)
  return { url: () => url, reset: (dirty) => reset(client, dirty), close: () => client.close() }
}
