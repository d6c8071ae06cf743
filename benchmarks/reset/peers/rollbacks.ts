import pg from 'pg'
import { testTransaction } from 'pg-transactional-tests'
import { PgTestClient } from 'pgsql-test'
import type { Client, Row } from '../../client.ts'
import { type Method, POSTGRES } from '../method.ts'

const OWN_ONLY = 'a bare rollback, of one connection: what others write stays'

export const pgsqlTest: Method = {
  id: 'pgsql-test',
  label: 'pgsql-test',
  kind: 'rollback',
  source: 'pgsql-test',
  note: `afterEach() and beforeEach(); ${OWN_ONLY}`,
  engines: POSTGRES,
  async open({ database }) {
    const url = await database('pgsql_test')
    const { hostname: host, port, pathname, username: user, password } = new URL(url)
    const db = new PgTestClient({ host, port: Number(port), database: pathname.slice(1), user, password })
    await db.beforeEach()
    return {
      url: () => url,
      client: { run: async (sql) => rowsOf(await db.query(sql)), close: async () => {} },
      reset: async () => {
        await db.afterEach()
        await db.beforeEach()
      },
      close: () => db.close(),
    }
  },
}

export const pgTransactionalTests: Method = {
  id: 'pg-transactional-tests',
  label: 'pg-transactional-tests',
  kind: 'rollback',
  source: 'pg-transactional-tests',
  note: `rollback() and start(); ${OWN_ONLY}`,
  engines: POSTGRES,
  async open({ database }) {
    const url = await database('pg_transactional_tests')
    const prototypes = new Prototypes()
    const within = <T>(work: () => Promise<T>): Promise<T> => prototypes.patchedDuring(work)
    // One for the whole run and one for the test, as in its README.
    const client = await within(async () => {
      testTransaction.start()
      const pool = new pg.Pool({ connectionString: url, idleTimeoutMillis: 0 })
      await pool.query('SELECT 1')
      testTransaction.start()
      return pool
    })
    const asClient: Client = {
      run: (sql) => within(async () => rowsOf(await client.query(sql))),
      close: async () => {},
    }
    return {
      url: () => url,
      client: asClient,
      reset: () =>
        within(async () => {
          await testTransaction.rollback()
          testTransaction.start()
        }),
      close: () => within(() => testTransaction.close()),
    }
  },
}

function rowsOf(results: pg.QueryResult | pg.QueryResult[]): Row[] {
  return [results].flat().at(-1)?.rows ?? []
}

/**
 * The package patches every `pg` client in the process. The original methods are restored in between for
 * other methods.
 */
class Prototypes {
  #patched: PatchedFunctions | undefined

  async patchedDuring<T>(work: () => Promise<T>): Promise<T> {
    const original = patchedFunctions()
    if (this.#patched !== undefined) assign(this.#patched)
    try {
      return await work()
    } finally {
      this.#patched = patchedFunctions()
      assign(original)
    }
  }
}

type PatchedFunctions = ReturnType<typeof patchedFunctions>

function patchedFunctions() {
  const { connect, query } = pg.Client.prototype
  const { connect: poolConnect, query: poolQuery } = pg.Pool.prototype
  return { client: { connect, query }, pool: { connect: poolConnect, query: poolQuery } }
}

function assign({ client, pool }: PatchedFunctions): void {
  Object.assign(pg.Client.prototype, client)
  Object.assign(pg.Pool.prototype, pool)
}
