import type { Progress } from '../util/progress.ts'
import type { Linger } from './cleanup-process.ts'
import type { DataPlace, ServerEngine, ServerSpec } from './spec.ts'

/** A server that accepts connections, with administrator access. */
export interface RunningServer extends AsyncDisposable {
  readonly kind: ServerSpec['kind']
  /** `postgres`, `mysql` or `mariadb`: from the image or the URL. */
  readonly engine: ServerEngine
  /** With administrator rights and password: the superuser on `postgres`, root on `mysql`. */
  readonly url: string
  /** For people: `PostgreSQL in a container (postgres:18)`. */
  readonly title: string
  /** Whether afresh started it, in this or an earlier run. */
  readonly startedByAfresh: boolean
  readonly containerId: string | undefined
  /** Location of its files, if known. */
  readonly data: DataPlace | undefined
  /** Whether `stop` removes the server and everything in it. */
  readonly endsWithRun: boolean
  /** Ends the server and removes its data, if afresh started it for this run. May be called repeatedly. */
  stop(): Promise<void>
  /** Instead of `stop`: the server ends later. Absent if it does not end with the run. */
  readonly linger?: ((linger: Linger) => Promise<void>) | undefined
}

export interface StartOptions {
  /** Called when a step begins that may take long. */
  readonly progress?: Progress | undefined
  /** Databases that the server is to start with, where its files can be kept from run to run: embedded. */
  readonly prepared?: PreparedDatabases | undefined
}

/** Databases that are built once, and kept. */
export interface PreparedDatabases {
  /** Changes with everything that the databases depend on, apart from the server. */
  readonly key: string
  /** Builds them on the server at this URL, which runs for this alone and may have those of a base. */
  readonly build: (url: string) => Promise<void>
  /** Called if they are kept already. */
  readonly found?: (() => void) | undefined
  /**
   * What they begin with, and are built from if it is kept already. Built first, and kept too where that takes
   * long. Absent if nothing of it is of use by itself.
   */
  readonly layer?: PreparedDatabases | undefined
  /** The keys of other databases from which they can be built, the best first. */
  readonly bases: () => readonly string[]
}

/** A running server whose `stop` runs `end` only once. */
export function runningServer(
  facts: Omit<RunningServer, 'stop' | typeof Symbol.asyncDispose>,
  end: () => Promise<void>,
): RunningServer {
  let ended: Promise<void> | undefined
  const stop = () => {
    ended ??= end()
    return ended
  }
  return { ...facts, stop, [Symbol.asyncDispose]: stop }
}
