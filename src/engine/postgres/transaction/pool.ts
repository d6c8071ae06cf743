import type pg from 'pg'
import { AfreshError } from '../../../errors.ts'
import { once } from '../../../util/once.ts'
import { type ConnectionQueue, connectionQueue } from '../../transaction/connection-queue.ts'
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
  return new SerializedPool(pool, { client, release, transaction }, options)
}

interface AcquiredClient {
  readonly client: pg.PoolClient
  /** The pool's original function. */
  readonly release: Release
  readonly transaction: Transaction
}

/** Lends the one client to one part of the test at a time, until `end`. */
class SerializedPool implements Transaction {
  readonly #pool: pg.Pool
  readonly #acquired: AcquiredClient
  readonly #queue: ConnectionQueue
  /** Give the pool its own functions back. */
  readonly #restore: readonly (() => void)[]
  /** Whether `pool.query` is running, which requests a client before it returns. */
  #isQuery = false
  readonly end = once(() => this.#endOnce())

  constructor(pool: pg.Pool, acquired: AcquiredClient, { waitMs }: TransactionOptions) {
    this.#pool = pool
    this.#acquired = acquired
    this.#queue = connectionQueue(waitMs)
    const query = pool.query.bind(pool) as (...args: unknown[]) => unknown
    this.#restore = [
      replaced(pool, 'connect', (done?: OnClient) => this.#connect(done)),
      replaced(pool, 'query', (...args: unknown[]) => this.#asQuery(() => query(...args))),
      replaced(pool, 'end', (done?: () => void) => this.#endPool(done)),
    ]
  }

  #connect(done?: OnClient): Promise<pg.PoolClient> | undefined {
    if (done === undefined) return this.#borrow()
    const found = (client: pg.PoolClient) => done(undefined, client, client.release)
    const failed = (error: unknown) => done(error, undefined, () => {})
    if (this.#isQuery) {
      const grant = (error?: unknown) => (error === undefined ? found(this.#lent()) : failed(error))
      this.#queue.acquire({ isQuery: true, grant })
    } else void this.#borrow().then(found, failed)
    return undefined
  }

  #borrow(): Promise<pg.PoolClient> {
    return new Promise((resolve, reject) => {
      const grant = (error?: unknown) => (error === undefined ? resolve(this.#lent()) : reject(error))
      this.#queue.acquire({ isQuery: false, grant })
    })
  }

  #lent(): pg.PoolClient {
    const { client } = this.#acquired
    let isReleased = false
    client.release = () => {
      if (isReleased) throw new Error('Release called on client which has already been released to the pool.')
      isReleased = true
      this.#queue.release()
    }
    return client
  }

  #asQuery(query: () => unknown): unknown {
    this.#isQuery = true
    try {
      return query()
    } finally {
      this.#isQuery = false
    }
  }

  async #endOnce(): Promise<Ending> {
    const { client, release, transaction } = this.#acquired
    for (const putBack of this.#restore) putBack()
    this.#queue.close()
    // Several queries may hold the client now, and each of them releases it.
    client.release = () => this.#queue.release()
    const ending = await transaction.end()
    client.release = () => {}
    // The pool discards a client that lost its connection, or that the test has not released, and creates
    // another.
    release(ending.lost !== undefined || this.#queue.isOut())
    return ending
  }

  /** Ends the transaction first: `pool.end` would wait for the client that is checked out. */
  async #endPool(done?: () => void): Promise<void> {
    await this.end()
    return done === undefined ? this.#pool.end() : this.#pool.end(done)
  }
}

function foreignClient(): AfreshError {
  return new AfreshError('usage', 'begin: the pool has clients of another kind than those of `pg` itself.', {
    next: 'Leave `Client` out of its options, and the native bindings.',
  })
}
