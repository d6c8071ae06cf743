import mysql from 'mysql2/promise'
import pg from 'pg'
import { expect, it } from 'vitest'
import { createHarness, type Harness, type TestDatabase } from '../../src/index.ts'
import { watchConnections } from '../../src/runner/core/connections.ts'
import { checkForLeaks, resetBeforeTest } from '../../src/runner/core/leak-check.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'

async function withDatabase(
  server: ServerAtHand,
  body: (database: TestDatabase, over: (test: string) => Promise<void>, harness: Harness) => Promise<void>,
) {
  watchConnections()
  const harness = await createHarness({ server: server.url })
  const database = await harness.lease()
  const over = (test: string) =>
    checkForLeaks({ test, file: undefined }, database, harness.handle, { known: new Set() })
  try {
    await body(database, over, harness)
  } finally {
    await database.release()
    await harness.close()
  }
}

/** Sends a statement on a pool without connections, and does not await it. */
function sendLate(url: string, sql: string): () => Promise<void> {
  const { query, end } = url.startsWith('postgres') ? overPg(url) : overMysql(url)
  query(sql).catch(() => {})
  return end
}

function overPg(url: string) {
  const pool = new pg.Pool({ connectionString: url }).on('error', () => {})
  return { query: (sql: string) => pool.query(sql), end: () => pool.end() }
}

function overMysql(url: string) {
  const pool = mysql.createPool(url)
  return { query: (sql: string) => pool.query(sql), end: () => pool.end() }
}

for (const [id, sql] of [
  ['embedded:18', 'SELECT pg_sleep(30)'],
  ['mysql:9.7', 'SELECT SLEEP(30)'],
  ['mariadb:11.8', 'SELECT SLEEP(30)'],
] as const) {
  describeOn(id, (server) => {
    it('an unawaited statement on a cold pool fails the test that sent it', async () => {
      await withDatabase(server, async (database, over) => {
        for (const round of [1, 2, 3]) {
          await resetBeforeTest(database)
          const end = sendLate(database.url, sql)
          await expect(over(`guilty ${round}`)).rejects.toThrow(`"guilty ${round}" ended and still held`)
          await resetBeforeTest(database)
          await over(`innocent ${round}`)
          await end()
        }
      })
    })
  })
}

describeOn('embedded:18', (server) => {
  it('where it is seen only in the next test, the message names the tests that may have sent it', async () => {
    await withDatabase(server, async (database, over) => {
      await over('the one before')
      const end = sendLate(database.url, 'SELECT pg_sleep(30)')
      await expect(over('the next')).rejects.toThrow(
        /may have been sent by "the one before", the test before/,
      )
      await resetBeforeTest(database)
      await end()
    })
  })
})
