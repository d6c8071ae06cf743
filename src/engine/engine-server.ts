import type { GenericContainer } from 'testcontainers'
import type { DataPlace } from '../util/shared-memory.ts'

/**
 * The servers of an engine: how one is recognized, started in a container, and used by a new project. `server.ts` in the
 * engine's folder has it, and `registry.ts` lists it.
 */
export interface EngineServer {
  /** For people: `PostgreSQL`. */
  readonly title: string
  /** What URLs begin with, without the colon: the usual one first. */
  readonly schemes: readonly string[]
  readonly image: ImagePreset
  readonly project: ProjectPreset
  /** Settings by where the files are; absent where there are none. */
  readonly dataSettings?: (data: DataPlace) => Readonly<Record<string, string>>
  /** Settings that switch durability on again; absent where there is no embedded server. */
  readonly durableSettings?: Readonly<Record<string, string>>
}

/** How the official image is started for throw-away data. */
export interface ImagePreset {
  /** Image and tag for those who name none. */
  readonly latest: string
  /** The official image's name. Others may be started in another way. */
  readonly name: string
  /** What other images are called that run this server. */
  readonly otherNames: readonly string[]
  /** The npm package with testcontainers' module for it. */
  readonly module: string
  /** A container of that module whose administrator has this password. */
  build(module: unknown, image: string, password: string): GenericContainer
  readonly admin: { readonly user: string; readonly database: string }
  readonly port: number
  readonly command: readonly string[]
  /** More of it, by where the files are. */
  readonly commandFor?: (data: DataPlace) => readonly string[]
  /** Arguments that switch durability on again, for `afresh bench`. */
  readonly durableCommand: readonly string[]
  /** Arguments with which the server shows who holds which lock, where it does not by itself. */
  readonly lockCommand?: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** The folder that holds the data: kept in memory. */
  readonly dataFolder: string
  /** Its log says this, so many times, once the final server takes connections. */
  readonly ready: { readonly line: RegExp; readonly times: number }
  /** A shell command in the container that succeeds once the server takes connections over TCP. */
  readonly isReady: string
}

/** What `afresh init` knows of projects that use it. */
export interface ProjectPreset {
  /** What afresh connects with. */
  readonly driver: string
  /** The clients that an example test can be written for, by package: the driver first. */
  readonly clients: Readonly<Record<string, ExampleClient>>
  /** What tools call it in their configuration: `provider = "postgresql"`. */
  readonly words: readonly string[]
  /** Packages that only projects with this engine have. */
  readonly packages: readonly string[]
  /** The engine with whose drivers and tools it is used as well; its own name for none. */
  readonly family: string
  /** Columns of an example table: an id that counts up, and a name. */
  readonly exampleColumns: string
  /** The folder of `fixtures/demo` whose SQL it reads. */
  readonly demoFolder: string
}

/** How an example test uses a client: lines of code. */
export interface ExampleClient {
  readonly import: readonly [names: string, from: string]
  /** @param url an expression */
  open(url: string): string
  readonly end: string
  run(sql: string): string
  /** The rows of a query, as `rows`. */
  query(sql: string): string
  readonly userTables: string
  readonly databaseName: string
  readonly isTrue: string
  /** Adds Bert and finds his id. */
  addBert(client: ExampleClient): readonly string[]
}
