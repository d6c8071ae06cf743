import type { DataPlace, ServerEngine, ServerSpec } from './spec.ts'

/** A server that answers, with admin access. */
export interface RunningServer extends AsyncDisposable {
  readonly kind: ServerSpec['kind']
  /** `postgres`, `mysql` or `mariadb`: from the image or the URL. */
  readonly engine: ServerEngine
  /** With admin rights, password included: the superuser on `postgres`, root on `mysql`. */
  readonly url: string
  /** For people: `PostgreSQL in a container (postgres:18)`. */
  readonly title: string
  /** Afresh started it, now or in an earlier run. */
  readonly startedByAfresh: boolean
  readonly containerId: string | undefined
  /** Where its files are, if afresh knows. */
  readonly data: DataPlace | undefined
  /** `stop` takes the server and everything in it away. */
  readonly endsWithRun: boolean
  /** Ends the server and removes its data, where afresh started it for this run. May be called again. */
  stop(): Promise<void>
}

/** What a start may be told. */
export interface StartOptions {
  /** Called with a line for people when something takes its time. */
  readonly onProgress?: ((line: string) => void) | undefined
}

/** A running server whose `stop` runs once however often it is called. */
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
