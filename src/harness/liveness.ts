import type { Engine } from '../engine/engine.ts'
import { AfreshError } from '../errors.ts'
import { clearTimeout, setTimeout } from '../util/clock.ts'
import { withTimeout } from '../util/with-timeout.ts'

/** Milliseconds to wait for a result before asking whether the server is alive, and again for the answer. */
const PATIENCE_MS = 10_000

export interface AskedServer {
  readonly engine: Engine
  /** `undefined` for a client of the user and for in-process databases, which are not asked. */
  readonly url: string | undefined
  /** What is in progress, as the words after "while". */
  readonly doing: string
}

/**
 * Waits for `work` as long as the server answers on another connection. A reset may take long, and a frozen
 * server (a paused container, a suspended machine) never reports an error.
 *
 * @throws AfreshError `server` if another connection, opened after 10 s without a result, gets no answer for
 * 10 s; `work` continues, but its result is ignored
 */
export async function whileServerAnswers<T>(work: () => Promise<T>, server: AskedServer): Promise<T> {
  const { url } = server
  if (url === undefined || server.engine.databases === undefined) return work()
  let timer: NodeJS.Timeout | undefined
  const promise = work()
  const silence = new Promise<never>((_, reject) => {
    const askLater = () => {
      timer = setTimeout(() => {
        answers(server.engine, url).then((isAlive) => (isAlive ? askLater() : reject(frozen(server))), reject)
      }, PATIENCE_MS)
      timer.unref()
    }
    askLater()
  })
  try {
    return await Promise.race([promise, silence])
  } finally {
    clearTimeout(timer)
    promise.catch(() => {})
    silence.catch(() => {})
  }
}

/** Any answer counts, including "too many connections". */
async function answers(engine: Engine, url: string): Promise<boolean> {
  const asked = engine
    .connect(url, { timeoutMs: 2 * PATIENCE_MS, applicationName: 'afresh (liveness)' })
    .then(
      (connection) => {
        void connection.close().catch(() => {})
        return true
      },
      () => true,
    )
  return withTimeout(asked, PATIENCE_MS, () => false)
}

function frozen({ doing }: AskedServer): AfreshError {
  const seconds = PATIENCE_MS / 1000
  const message = `The server has not answered a new connection for ${seconds} s, while ${doing}.`
  return new AfreshError('server', message, {
    next: 'See whether it is paused, out of memory or out of disk. The next reset starts over.',
  })
}
