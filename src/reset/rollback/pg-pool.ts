import type pg from 'pg'
import { beginPg, isPgClient } from './pg.ts'
import { type Ending, isObject, replaced, type Transaction, type TransactionOptions } from './transaction.ts'
import { turns } from './turns.ts'

type Release = (error?: Error | boolean) => void
type OnClient = (error: unknown, client: pg.PoolClient | undefined, release: Release) => void

export function isPgPool(pool: unknown): pool is pg.Pool {
  return (
    isObject(pool) &&
    typeof pool.connect === 'function' &&
    typeof pool.query === 'function' &&
    'totalCount' in pool &&
    'idleCount' in pool
  )
}

/** Takes one client out of the pool, which from then on lends no other: `pool.query` asks `pool.connect` too. */
export async function beginPgPool(pool: pg.Pool, options: TransactionOptions): Promise<Transaction> {
  const client = await pool.connect()
  const release: Release = client.release
  if (!isPgClient(client)) throw new TypeError('the pool has clients of another kind')
  let transaction: Transaction
  try {
    transaction = await beginPg(client, options)
  } catch (error) {
    release()
    throw error
  }
  const { take, giveBack } = turns(options.waitMs)

  const borrow = async (): Promise<pg.PoolClient> => {
    await take()
    let isReleased = false
    client.release = () => {
      if (isReleased) throw new Error('Release called on client which has already been released to the pool.')
      isReleased = true
      giveBack()
    }
    return client
  }

  const end = async (): Promise<Ending> => {
    for (const putBack of restore) putBack()
    const ending = await transaction.end()
    // One that was lost may be in any state: the pool is to make another.
    release(ending.lost !== undefined)
    return ending
  }
  let ended: Promise<Ending> | undefined
  const once = () => {
    ended ??= end()
    return ended
  }

  const connect = (done?: OnClient) => {
    const borrowed = borrow()
    if (done === undefined) return borrowed
    return void borrowed.then(
      (lent) => done(undefined, lent, lent.release),
      (error: unknown) => done(error, undefined, () => {}),
    )
  }
  // It would wait for the client that is kept out of it.
  const endPool = async (done?: () => void) => {
    await once()
    return done === undefined ? pool.end() : pool.end(done)
  }
  const restore = [replaced(pool, 'connect', connect), replaced(pool, 'end', endPool)]
  return { end: once }
}
