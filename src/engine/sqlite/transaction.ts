import { AfreshError, messageOf } from '../../errors.ts'
import { now, sleep } from '../../util/clock.ts'
import { isNestedBegin, type SqliteConnection } from './connection.ts'
import { type Database, resultCodeOf } from './driver.ts'

/**
 * Runs `body`, which is synchronous so that nothing else gets at the handle meanwhile, in a transaction: committed
 * when it returns (unless it is not to be kept), rolled back when it throws. Waits for readers at the beginning, so that the commit need not.
 * Throws `AfreshError` (`blocked`) when another connection holds the database for `timeoutMs`, or when the handle is
 * in a transaction already.
 */
export function inWriteTransaction<T>(
  connection: SqliteConnection,
  timeoutMs: number,
  body: () => T,
  around: Around = (attempt) => attempt(),
  keep = true,
): Promise<T> {
  const committed = () => {
    try {
      const result = body()
      if (keep) commit(connection)
      else rollBack(connection.db)
      return result
    } catch (error) {
      rollBack(connection.db)
      throw error
    }
  }
  return begun(connection, 'EXCLUSIVE', timeoutMs, committed, around)
}

/** What an attempt is wrapped in that no transaction allows. */
export type Around = <T>(attempt: () => T) => T

function commit({ db, database }: SqliteConnection): void {
  try {
    db.exec('COMMIT')
  } catch (cause) {
    throw new AfreshError(
      'blocked',
      `The changes to ${database} could not be committed: ${messageOf(cause)}.`,
      {
        next: 'Nothing was changed. A statement that a test left half read is the likely reason: read it to its end.',
        cause,
      },
    )
  }
}

/**
 * The same for a `body` that changes nothing. It waits for writers, whose rows might otherwise come after it, and
 * not for readers; it ends by ROLLBACK, because a COMMIT would wait for them even with nothing to write.
 */
export function inReadTransaction<T>(
  connection: SqliteConnection,
  timeoutMs: number,
  body: () => T,
): Promise<T> {
  const rolledBack = () => {
    try {
      return body()
    } finally {
      rollBack(connection.db)
    }
  }
  return begun(connection, 'IMMEDIATE', timeoutMs, rolledBack, (attempt) => attempt())
}

const LONGEST_PAUSE_MS = 25

/**
 * Runs `body` right after BEGIN, with no turn of anybody else's between. Waits between attempts without blocking the
 * event loop: whoever holds the lock may be another handle of this very process, which could never let go during
 * SQLite's own waiting.
 */
async function begun<T>(
  connection: SqliteConnection,
  lock: 'IMMEDIATE' | 'EXCLUSIVE',
  timeoutMs: number,
  body: () => T,
  around: Around,
): Promise<T> {
  const deadline = now() + timeoutMs
  for (let pause = 1; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const attempt = around(() => {
      const refusal = begin(connection, lock)
      return refusal === undefined ? { result: body() } : { refusal }
    })
    if ('result' in attempt) return attempt.result
    if (now() >= deadline) throw lockedOut(connection, timeoutMs, attempt.refusal)
    await sleep(pause)
  }
}

/** Tries once; returns the error when somebody else holds the lock. */
function begin(connection: SqliteConnection, lock: 'IMMEDIATE' | 'EXCLUSIVE'): unknown {
  try {
    withoutWaiting(connection.db, () => connection.db.exec(`BEGIN ${lock}`))
    return undefined
  } catch (error) {
    if (isLocked(error)) return error
    throw notBegun(connection, error)
  }
}

function withoutWaiting(db: Database, body: () => void): void {
  const before = pragma(db, 'busy_timeout')
  db.exec('PRAGMA busy_timeout = 0')
  try {
    body()
  } finally {
    db.exec(`PRAGMA busy_timeout = ${before}`)
  }
}

function pragma(db: Database, name: string): bigint {
  const value = Object.values(db.all(`PRAGMA ${name}`)[0] ?? {})[0]
  return typeof value === 'bigint' ? value : 0n
}

/** Foreign keys can be switched in no transaction (https://sqlite.org/pragma.html#pragma_foreign_keys). */
export function withForeignKeysOff<T>(db: Database, body: () => T): T {
  if (pragma(db, 'foreign_keys') === 0n) return body()
  db.exec('PRAGMA foreign_keys = OFF')
  try {
    return body()
  } finally {
    db.exec('PRAGMA foreign_keys = ON')
  }
}

/** SQLite has rolled back by itself after some errors, a full disk for one. */
function rollBack(db: Database): void {
  try {
    db.exec('ROLLBACK')
  } catch (error) {
    if (!messageOf(error).includes('no transaction is active')) throw error
  }
}

export function isLocked(error: unknown): boolean {
  const code = resultCodeOf(error)
  return code === 'SQLITE_BUSY' || code === 'SQLITE_LOCKED'
}

function lockedOut({ database }: SqliteConnection, timeoutMs: number, cause: unknown): AfreshError {
  return new AfreshError('blocked', `Another connection held ${database} for more than ${timeoutMs} ms.`, {
    next: 'Find the process or handle that has a transaction open on this file, and end it. Nothing was changed.',
    cause,
  })
}

function notBegun({ database }: SqliteConnection, cause: unknown): unknown {
  if (isNestedBegin(cause)) {
    return new AfreshError(
      'blocked',
      `A transaction is still open on the handle of ${database}: a test left it.`,
      {
        next: 'Commit it or roll it back before the test ends. Nothing was changed.',
        cause,
      },
    )
  }
  // better-sqlite3 refuses everything while one of its iterators is not at its end.
  if (messageOf(cause).includes('busy executing a query')) {
    return new AfreshError(
      'blocked',
      `A query is still being read on the handle of ${database}: a test left it.`,
      {
        next: 'Read the iterator to its end or call its `return()`. Nothing was changed.',
        cause,
      },
    )
  }
  return cause
}
