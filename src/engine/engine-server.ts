import type { GenericContainer } from 'testcontainers'
import type { DataPlace } from '../util/shared-memory.ts'

/**
 * How to recognize the servers of an engine, start them in a container, and use them in a new project.
 * Exported by `server.ts` in the engine's folder, and listed in `registry.ts`.
 */
export interface EngineServer {
  /** The name for people: `PostgreSQL`. */
  readonly title: string
  /** URL protocols without the colon, the usual one first. */
  readonly schemes: readonly string[]
  readonly image: ImagePreset
  readonly project: ProjectPreset
  /** Settings by the location of the data files; absent if there are none. */
  readonly dataSettings?: (data: DataPlace) => Readonly<Record<string, string>>
  /** Settings that enable durability again; absent if there is no embedded server. */
  readonly durableSettings?: Readonly<Record<string, string>>
}

/** How to start the official image for disposable data. */
export interface ImagePreset {
  /** Default image and tag. */
  readonly latest: string
  /** The name of the official image. Other images may start differently. */
  readonly name: string
  /** Names of other images that run this server. */
  readonly otherNames: readonly string[]
  /** The npm package of testcontainers' module for this server. */
  readonly module: string
  /** Builds a container from that module, with this administrator password. */
  build(module: unknown, image: string, password: string): GenericContainer
  readonly admin: { readonly user: string; readonly database: string }
  readonly port: number
  readonly command: readonly string[]
  /** Further arguments, by the location of the data files. */
  readonly commandFor?: (data: DataPlace) => readonly string[]
  /** The arguments for one setting, by the server's name for it. */
  settingArguments(name: string, value: string): readonly string[]
  /** Arguments that enable durability again, for `afresh bench`. */
  readonly durableCommand: readonly string[]
  /** Arguments that make the server report who holds which lock, if it does not by default. */
  readonly lockCommand?: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** The data directory, kept in memory. */
  readonly dataFolder: string
  /** The log line, and how often it appears before the final server accepts connections. */
  readonly ready: { readonly line: RegExp; readonly times: number }
  /** A shell command in the container that succeeds once the server accepts TCP connections. */
  readonly isReady: string
}

/** What `afresh init` knows about projects that use this server. */
export interface ProjectPreset {
  /** The npm package that afresh connects with. */
  readonly driver: string
  /** Clients that `init` can write an example test for, by package, the driver first. */
  readonly clients: Readonly<Record<string, ExampleClient>>
  /** The names that tools use in their configuration: `provider = "postgresql"`. */
  readonly words: readonly string[]
  /** Packages that only projects with this engine depend on. */
  readonly packages: readonly string[]
  /** The engine whose drivers and tools also work with this server; its own name if there is none. */
  readonly family: string
  /** Columns of an example table: an auto-incrementing id, and a name. */
  readonly exampleColumns: string
  /** The folder of `fixtures/demo` whose SQL this engine reads. */
  readonly demoFolder: string
}

/** Lines of code with which an example test uses a client. */
export interface ExampleClient {
  readonly import: readonly [names: string, from: string]
  /** @param url a JavaScript expression */
  open(url: string): string
  readonly end: string
  run(sql: string): string
  /** Returns code that assigns the rows of a query to `rows`. */
  query(sql: string): string
  readonly userTables: string
  readonly databaseName: string
  readonly isTrue: string
  /** Returns code that inserts Bert and reads his id. */
  addBert(client: ExampleClient): readonly string[]
}
