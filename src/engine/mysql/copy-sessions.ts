import { availableParallelism } from 'node:os'
import { sleep } from '../../util/clock.ts'
import type { Connection } from '../connection.ts'
import { connect } from './connection.ts'
import { failedAt } from './create-each.ts'
import { DEADLOCK } from './errno.ts'
import { literal } from './quote.ts'
import { BatchError, type BatchOptions, batch, takeDefinitions } from './session.ts'

/**
 * Both servers create tables on one processor per session: of 1, 2, 4 and 8 sessions, two were the fastest on
 * two processors (`npm run bench:copies`).
 */
const MOST_SESSIONS = 4
/** A session of its own pays from this many tables on. */
const TABLES_PER_SESSION = 10
/** Two sessions that create a parent and its child may each wait for the other one. */
const MOST_DEADLOCKS = 10

/** The number of sessions that a copy of this many tables uses. */
export function sessionsFor(tables: number): number {
  const processors = Math.max(2, availableParallelism())
  return Math.max(1, Math.min(MOST_SESSIONS, processors, Math.floor(tables / TABLES_PER_SESSION)))
}

/** Sessions in a database in the making, which share the statements that fill it. */
export class CopySessions {
  readonly first: Connection
  readonly #all: readonly Connection[]
  readonly #admin: Connection
  readonly #database: string

  private constructor(all: readonly [Connection, ...Connection[]], admin: Connection, database: string) {
    this.first = all[0]
    this.#all = all
    this.#admin = admin
    this.#database = database
  }

  get count(): number {
    return this.#all.length
  }

  /** Opens as many of the wanted sessions as the limits of the server and of the user permit, at least one. */
  static async open(
    url: string,
    wanted: number,
    { admin, database }: { readonly admin: Connection; readonly database: string },
  ): Promise<CopySessions> {
    const opened = await Promise.allSettled(Array.from({ length: wanted }, () => openSession(url)))
    const [first, ...others] = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    if (first === undefined) throw opened.find((one) => one.status === 'rejected')?.reason
    return new CopySessions([first, ...others], admin, database)
  }

  /**
   * Runs the statements, each message in one round trip of one session. A failure ends what the other sessions
   * run, and no statement runs any more when it is thrown.
   *
   * @throws an error that names the statement
   */
  async run(messages: readonly (readonly string[])[], options?: BatchOptions): Promise<void> {
    const queue = [...messages]
    let failure: { readonly error: unknown } | undefined
    const work = async (session: Connection) => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        try {
          await replay(session, next, options)
        } catch (error) {
          queue.length = 0
          if (failure !== undefined) return
          failure = { error }
          await this.#endStatements()
        }
      }
    }
    await Promise.all(this.#all.map(work))
    if (failure !== undefined) throw failure.error
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((session) => session.close()))
  }

  /** Without this, a large table would be copied to its end before the failure is reported. */
  async #endStatements(): Promise<void> {
    const running = await this.#admin
      .query(
        `SELECT id AS id FROM information_schema.processlist
         WHERE db = ${literal(this.#database)} AND id <> CONNECTION_ID() AND command = 'Query'`,
      )
      .catch(() => [])
    // A statement may have ended meanwhile.
    for (const { id } of running) await this.#admin.query(`KILL QUERY ${Number(id)}`).catch(() => {})
  }
}

async function openSession(url: string): Promise<Connection> {
  const session = await connect(url)
  try {
    await takeDefinitions(session)
    return session
  } catch (error) {
    await session.close()
    throw error
  }
}

async function replay(
  session: Connection,
  statements: readonly string[],
  options?: BatchOptions,
): Promise<void> {
  let left = statements
  for (let deadlocks = 0; left.length > 0; ) {
    try {
      await batch(session, left, options)
      return
    } catch (error) {
      if (!(error instanceof BatchError) || error.index === undefined) throw error
      if (error.errno !== DEADLOCK || ++deadlocks > MOST_DEADLOCKS) {
        throw failedAt(left[error.index] ?? '', error)
      }
      // Each statement commits, so the failed one is the first that is left.
      left = left.slice(error.index)
      await sleep(5 * Math.random() * deadlocks)
    }
  }
}
