import { AfreshError, messageOf } from '../../errors.ts'
import { now, sleep } from '../../util/clock.ts'
import { isNestedBegin, type SqliteConnection } from './connection.ts'
import { type Database, resultCodeOf } from './driver.ts'

/**
 * Runs `body` in a transaction: committed when it returns (unless `keep` is false), rolled back when it
 * throws. `body` is synchronous, so that nothing else can use the handle meanwhile. Waits for readers at the
 * beginning, so that the commit need not. Throws `AfreshError` (`blocked`) if another connection holds the
 * database for `timeoutMs`, or if the handle is already in a transaction.
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

/** Wraps an attempt in statements that a transaction does not allow. */
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
 * Like `inWriteTransaction`, for a `body` that changes nothing. Waits for writers, whose rows might otherwise
 * appear after it, and not for readers. Ends with ROLLBACK, because a COMMIT would wait for readers even with
 * nothing to write.
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
 * Runs `body` directly after BEGIN, without yielding in between. Waits between attempts without blocking the
 * event loop: the holder of the lock may be another handle of this process, which could never release it
 * during SQLite's own waiting.
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

/**
 * Begins a transaction that writes, which the caller ends. Waits like `inWriteTransaction`, but only for other
 * writers.
 */
export async function beginWriting(connection: SqliteConnection, timeoutMs: number): Promise<void> {
  await begun(
    connection,
    'IMMEDIATE',
    timeoutMs,
    () => {},
    (attempt) => attempt(),
  )
}

/** Tries once; returns the error if another connection holds the lock. */
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

/** Transactions ignore a switch of foreign keys (https://sqlite.org/pragma.html#pragma_foreign_keys). */
export function withForeignKeysOff<T>(db: Database, body: () => T): T {
  if (pragma(db, 'foreign_keys') === 0n) return body()
  db.exec('PRAGMA foreign_keys = OFF')
  try {
    return body()
  } finally {
    db.exec('PRAGMA foreign_keys = ON')
  }
}

/** SQLite rolls back by itself after some errors, such as a full disk. */
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
  // better-sqlite3 rejects all statements while one of its iterators is not at its end.
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
