import { availableParallelism } from 'node:os'
import { now, sleep } from '../../util/clock.ts'
import type { Connection } from '../connection.ts'
import { connect } from './connection.ts'
import { failedAt } from './create-each.ts'
import { repeatDeadlocked } from './deadlocks.ts'
import { TOO_MANY_SESSIONS } from './errno.ts'
import { onSameServer } from './flavor-of.ts'
import { ident, literal } from './quote.ts'
import { BatchError, type BatchOptions, batch, errnoOf, takeDefinitions } from './session.ts'

/**
 * A session creates tables on one processor: on two processors, four sessions were no faster than two
 * (`npm run bench:copies`).
 */
const MOST_SESSIONS = 4
/** A session of its own pays from this many tables on. */
const TABLES_PER_SESSION = 10

/** How long a server may take to notice that a session was closed. */
const NOTICE_MS = 2_000

/** The number of sessions that a copy of this many tables uses. */
export function sessionsFor(tables: number): number {
  const processors = Math.max(2, availableParallelism())
  return Math.max(1, Math.min(MOST_SESSIONS, processors, Math.floor(tables / TABLES_PER_SESSION)))
}

/** Sessions that share the statements that fill a database in the making. */
export class CopySessions {
  readonly first: Connection
  readonly #all: readonly Connection[]
  readonly #admin: Connection
  #database = ''

  private constructor(all: readonly [Connection, ...Connection[]], admin: Connection) {
    this.first = all[0]
    this.#all = all
    this.#admin = admin
  }

  get count(): number {
    return this.#all.length
  }

  /** Opens as many of the wanted sessions as the limits of the server and of the user permit, at least one. */
  static async open(admin: Connection, url: string, wanted: number): Promise<CopySessions> {
    const opened = await Promise.allSettled(Array.from({ length: wanted }, () => openSession(url, admin)))
    const [first, ...others] = opened.flatMap((attempt) =>
      attempt.status === 'fulfilled' ? [attempt.value] : [],
    )
    if (first === undefined) return new CopySessions([await openLate(url, admin)], admin)
    return new CopySessions([first, ...others], admin)
  }

  /** Makes the new database the current one of all sessions. */
  async enter(database: string): Promise<void> {
    this.#database = database
    await Promise.all(this.#all.map((session) => session.query(`USE ${ident(database)}`)))
  }

  /** Rows can then be read that other sessions have locked. */
  async readCommitted(): Promise<void> {
    const sql = 'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED'
    await Promise.all(this.#all.map((session) => session.query(sql)))
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

/** The limit may still count the session that read the template. */
async function openLate(url: string, admin: Connection): Promise<Connection> {
  const deadline = now() + NOTICE_MS
  for (;;) {
    try {
      return await openSession(url, admin)
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined
      if (!TOO_MANY_SESSIONS.includes(errnoOf(cause)) || now() > deadline) throw error
      await sleep(20)
    }
  }
}

async function openSession(url: string, admin: Connection): Promise<Connection> {
  const session = await connect(url)
  onSameServer(session, admin)
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
  try {
    await repeatDeadlocked(async () => {
      try {
        await batch(session, left, options)
      } catch (error) {
        // Each statement commits, so the failed one is the first that is left.
        if (error instanceof BatchError) left = left.slice(error.index)
        throw error
      }
    })
  } catch (error) {
    if (!(error instanceof BatchError) || error.index === undefined) throw error
    throw failedAt(left[0] ?? '', error)
  }
}
