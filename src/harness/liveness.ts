import type { Engine } from '../engine/engine.ts'
import { AfreshError } from '../errors.ts'
import { clearTimeout, setTimeout } from '../util/clock.ts'
import { withTimeout } from '../util/with-timeout.ts'

/** After so many milliseconds without a result the server is asked whether it still answers; so long it may take. */
const PATIENCE_MS = 10_000

export interface AskedServer {
  readonly engine: Engine
  /** `undefined` for a client that the user opened, and within this process: nothing is asked then. */
  readonly url: string | undefined
  /** What is waited for, as the words after "while". */
  readonly doing: string
}

/**
 * Waits for work on a server as long as the server answers another connection: a reset may take its time, and a server that
 * is frozen (a paused container, a machine that sleeps) never says so.
 *
 * @throws AfreshError `server` where it does not answer within 10 s; the work itself goes on, its result is nobody's
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

/** Whatever it answers: "too many connections" is an answer, too. */
async function answers(engine: Engine, url: string): Promise<boolean> {
  const asked = engine
    .connect(url, { timeoutMs: 2 * PATIENCE_MS, applicationName: 'afresh (is it alive?)' })
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
  const seconds = (2 * PATIENCE_MS) / 1000
  return new AfreshError('server', `The server has not answered for ${seconds} s, while ${doing}.`, {
    next: 'See whether it is paused, out of memory or out of disk. The next reset starts over.',
  })
}
