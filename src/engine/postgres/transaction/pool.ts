import type pg from 'pg'
import { AfreshError } from '../../../errors.ts'
import { connectionQueue } from '../../transaction/connection-queue.ts'
import {
  type Ending,
  isObject,
  replaced,
  type Transaction,
  type TransactionOptions,
} from '../../transaction/transaction.ts'
import { beginPg, isPgClient } from './client.ts'

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

/**
 * Checks out one client, which from then on is the only one that the pool lends: `pool.query` uses
 * `pool.connect` too.
 */
export async function beginPgPool(pool: pg.Pool, options: TransactionOptions): Promise<Transaction> {
  const client = await pool.connect()
  const release: Release = client.release
  let transaction: Transaction
  try {
    if (!isPgClient(client)) throw foreignClient()
    transaction = await beginPg(client, options)
  } catch (error) {
    release()
    throw error
  }
  return serializedPool(pool, { client, release, transaction }, options)
}

interface AcquiredClient {
  readonly client: pg.PoolClient
  /** The pool's original function. */
  readonly release: Release
  readonly transaction: Transaction
}

function serializedPool(
  pool: pg.Pool,
  { client, release, transaction }: AcquiredClient,
  { waitMs }: TransactionOptions,
): Transaction {
  const { acquire: take, release: giveBack, close, isOut } = connectionQueue(waitMs)
  const original = pool.query.bind(pool) as (...args: unknown[]) => unknown
  let isQuery = false

  const lent = (): pg.PoolClient => {
    let isReleased = false
    client.release = () => {
      if (isReleased) throw new Error('Release called on client which has already been released to the pool.')
      isReleased = true
      giveBack()
    }
    return client
  }
  const borrow = () =>
    new Promise<pg.PoolClient>((resolve, reject) => {
      take({ isQuery: false, grant: (error) => (error === undefined ? resolve(lent()) : reject(error)) })
    })
  const connect = (done?: OnClient) => {
    if (done === undefined) return borrow()
    const found = (client: pg.PoolClient) => done(undefined, client, client.release)
    const failed = (error: unknown) => done(error, undefined, () => {})
    if (!isQuery) return void borrow().then(found, failed)
    return take({ isQuery, grant: (error) => (error === undefined ? found(lent()) : failed(error)) })
  }
  // It requests a client before it returns.
  const query = (...args: unknown[]) => {
    isQuery = true
    try {
      return original(...args)
    } finally {
      isQuery = false
    }
  }

  const end = async (): Promise<Ending> => {
    for (const putBack of restore) putBack()
    close()
    // Several queries may hold the client now, and each of them releases it.
    client.release = giveBack
    const ending = await transaction.end()
    client.release = () => {}
    // The pool discards a client that lost its connection, or that the test has not released, and creates
    // another.
    release(ending.lost !== undefined || isOut())
    return ending
  }
  let ended: Promise<Ending> | undefined
  const once = () => {
    ended ??= end()
    return ended
  }
  // It would wait for the client that is checked out.
  const endPool = async (done?: () => void) => {
    await once()
    return done === undefined ? pool.end() : pool.end(done)
  }
  const restore = [
    replaced(pool, 'connect', connect),
    replaced(pool, 'query', query),
    replaced(pool, 'end', endPool),
  ]
  return { end: once }
}

function foreignClient(): AfreshError {
  return new AfreshError('usage', 'begin: the pool has clients of another kind than those of `pg` itself.', {
    next: 'Leave `Client` out of its options, and the native bindings.',
  })
}
