import { AfreshError, EraseError, type ErrorCode } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import { REMEDIES } from '../erase-advice.ts'
import { asConflict } from '../erase-conflict.ts'
import type { EraseDialect, EraseSession, Isolation, Statement } from '../erase-dialect.ts'
import { proving } from '../erase-proof.ts'
import { blockersOf } from './blockers.ts'
import {
  CHANGED,
  DEADLOCK,
  DENIED_DATABASE,
  DENIED_TABLE,
  LOCK_TIMEOUT,
  NO_COLUMN,
  NO_ROUTINE,
  NO_TABLE,
  REFERRED,
} from './errno.ts'
import { flavorOf } from './flavor-of.ts'
import { mysqlConnection, type Send } from './mysql-connection.ts'
import { errnoOf, inSeconds, type Setting, swapped } from './session.ts'

/** Lock timeout, in milliseconds, that `alone` has set on connections owned by afresh. */
const waiting = new WeakMap<Connection, number>()

export const session: EraseDialect['session'] = async (connection, { lockTimeoutMs, proof }, body) => {
  const { recursionLimit } = await flavorOf(connection)
  const { save, set, restore } = swapped(settingsOf(recursionLimit, lockTimeoutMs))
  return mysqlConnection(connection).pinned(async (send) => {
    const run = async (statement: Statement, isNested = false): Promise<readonly number[]> => {
      try {
        return await numbersOf(send, statement)
      } catch (cause) {
        throw await failed(connection, statement, cause, isNested)
      }
    }
    let isSet = false
    const prepare = async () => {
      if (!isSet) await send(`${save}; ${set}`)
      isSet = true
    }
    const begin = async (isNested: boolean, isolation: Isolation = 'none') => {
      const first = [
        // Only this level locks the rows that a recursive query finds.
        ...(isolation !== 'none' && !isNested ? ['SET TRANSACTION ISOLATION LEVEL REPEATABLE READ'] : []),
        ...(isNested ? [] : ['START TRANSACTION']),
        ...(typeof proof === 'string' ? [proof] : []),
      ]
      if (first.length === 0) return
      try {
        await proving(() => send(first.join('; ')))
      } catch (error) {
        await send(isNested ? UNDO : 'ROLLBACK').catch(() => {})
        throw error
      }
    }
    const transaction: EraseSession['transaction'] = async (
      statements,
      { keep, temporary, isolation, watch },
    ) => {
      await prepare()
      const isNested = !connection.owned && (await isInTransaction(send))
      await begin(isNested, isolation)
      let isDone = false
      try {
        for (const [index, statement] of statements.entries()) watch(index, await run(statement, isNested))
        isDone = true
      } finally {
        await send(ending(isDone && keep, isNested, temporary)).catch((error: unknown) => {
          if (isDone) throw error
        })
      }
    }
    try {
      return await body({
        prepare,
        isolation: async () => 'locks',
        async alone(statement) {
          if (proof !== undefined) {
            let changed = 0
            const watch = (_: number, [count = 0]: readonly number[]) => {
              changed = count
            }
            await transaction([statement], {
              keep: true,
              cyclic: false,
              isolation: 'none',
              temporary: [],
              watch,
            })
            return changed
          }
          if (!connection.owned) await prepare()
          else if (!isSet && waiting.get(connection) !== lockTimeoutMs) {
            await send(
              `SET ${waitingOf(lockTimeoutMs)
                .map(({ name, value }) => `${name} = ${value}`)
                .join(', ')}`,
            )
            waiting.set(connection, lockTimeoutMs)
          }
          const [changed = 0] = await run(statement)
          return changed
        },
        async define(statement) {
          await prepare()
          if (!connection.owned && (await isInTransaction(send))) throw wouldCommit()
          // DDL commits implicitly: a proof in the transaction right before it is the closest check possible.
          if (proof === undefined) {
            await run(statement)
            return
          }
          await begin(false)
          try {
            await run(statement)
          } catch (error) {
            await send('ROLLBACK').catch(() => {})
            throw error
          }
        },
        async dropEmpty(table) {
          await prepare()
          // Waits for sessions that have written to the table. DROP would wait too, and delete their rows.
          const own = (sql: string, reads = false) => run({ sql, values: [], reads })
          if (proof !== undefined) await begin(false)
          await own(`LOCK TABLES ${table} WRITE`)
          try {
            const [rows] = await own(`SELECT count(*) AS n0 FROM ${table}`, true)
            if (rows === 0) await own(`DROP TABLE ${table}`)
          } finally {
            await send('UNLOCK TABLES').catch(() => {})
          }
        },
        transaction,
        discard: async (selection) => void (await send(`DROP TEMPORARY TABLE IF EXISTS ${selection}`)),
      })
    } finally {
      if (isSet) await send(restore).catch(() => {})
    }
  })
}

async function numbersOf(send: Send, { sql, values, reads }: Statement): Promise<number[]> {
  const result = (await send(sql, values.length === 0 ? undefined : values)).at(-1)
  return reads ? Object.values(result?.rows[0] ?? {}).map(Number) : [result?.affected ?? 0]
}

function ending(keep: boolean, isNested: boolean, temporary: readonly string[]): string {
  const end = isNested ? (keep ? RELEASE : UNDO) : keep ? 'COMMIT' : 'ROLLBACK'
  const drop = temporary.map((name) => `DROP TEMPORARY TABLE IF EXISTS ${name}`)
  return [end, 'SET foreign_key_checks = 1', ...drop].join('; ')
}

const RELEASE = 'RELEASE SAVEPOINT afresh_erase'
const UNDO = 'ROLLBACK TO SAVEPOINT afresh_erase; RELEASE SAVEPOINT afresh_erase'

/** START TRANSACTION would commit a transaction of the user's client; without one, a savepoint is lost. */
async function isInTransaction(send: Send): Promise<boolean> {
  try {
    await send('SAVEPOINT afresh_erase; ROLLBACK TO SAVEPOINT afresh_erase')
    return true
  } catch (error) {
    if (errnoOf(error) === NO_ROUTINE) return false // also raised for a missing savepoint
    throw error
  }
}

/** Settings with session scope. */
function settingsOf(recursionLimit: string, lockTimeoutMs: number): Setting[] {
  return [
    { name: 'foreign_key_checks', value: '1' },
    { name: 'sql_safe_updates', value: '0' },
    { name: 'sql_select_limit', value: '18446744073709551615' },
    { name: 'sql_big_selects', value: '1' },
    // Existing rows are copied unchanged, including dates that the server no longer accepts.
    {
      name: 'sql_mode',
      value: `CONCAT(REPLACE(REPLACE(@@sql_mode, 'NO_ZERO_IN_DATE', ''), 'NO_ZERO_DATE', ''), ',ALLOW_INVALID_DATES')`,
    },
    ...waitingOf(lockTimeoutMs),
    { name: recursionLimit, value: '4294967295' },
  ]
}

function waitingOf(lockTimeoutMs: number): Setting[] {
  const seconds = String(inSeconds(lockTimeoutMs))
  return [
    { name: 'innodb_lock_wait_timeout', value: seconds },
    { name: 'lock_wait_timeout', value: seconds },
  ]
}

function wouldCommit(): AfreshError {
  return new AfreshError(
    'usage',
    'archive: creating the archive table would commit the transaction of this client.',
    {
      next: 'End it first, make the tables (orders_archive) yourself, or erase by another connection. Nothing was changed.',
    },
  )
}

/** A deadlock in the user's transaction has rolled all of it back, so afresh cannot retry it. */
async function failed(
  connection: Connection,
  { sql }: Statement,
  cause: unknown,
  isNested: boolean,
): Promise<EraseError> {
  const { code, next } = await adviceFor(connection, cause)
  const error = new EraseError(sql, cause, { next, ...(code !== undefined && { code }) })
  const isConflicting = [DEADLOCK, CHANGED].includes(errnoOf(cause) ?? 0)
  return isConflicting && !isNested ? asConflict(error) : error
}

async function adviceFor(
  connection: Connection,
  cause: unknown,
): Promise<{ code?: ErrorCode; next: string }> {
  switch (errnoOf(cause)) {
    case LOCK_TIMEOUT:
      return { code: 'blocked', next: await blockersOf(connection) }
    case DEADLOCK:
      return { code: 'blocked', next: REMEDIES.deadlock }
    case CHANGED:
      return { code: 'blocked', next: REMEDIES.changed }
    case REFERRED:
      return { next: REMEDIES.referred }
    case DENIED_DATABASE:
    case DENIED_TABLE:
      return {
        next: 'Grant the user what the statement needs: SELECT, DELETE, UPDATE, CREATE TEMPORARY TABLES.',
      }
    case NO_TABLE:
    case NO_COLUMN:
      return { next: REMEDIES.unknownName }
    default:
      return { next: REMEDIES.other }
  }
}
