import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { count, pool } from '../src/shop.js'

// Their connections may be ended by afresh, and a client without a listener would end the process.
const clients: pg.Client[] = []
async function newClient(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL, application_name: 'the leak' })
  client.on('error', () => {})
  clients.push(client)
  await client.connect()
  return client
}
pool.on('error', () => {})
afterAll(() => Promise.all(clients.map((client) => client.end().catch(() => {}))))

const baseline = async () => expect([await count('settings'), await count('customers')]).toEqual([2, 3])

describe('each of these fails, and none is in the way of the next', () => {
  test('leaves a transaction open', async () => {
    const client = await newClient()
    await client.query('BEGIN')
    await client.query("UPDATE settings SET value = 'changed'")
  })
  test('1: finds the baseline', baseline)

  test('does not wait for its statement', async () => {
    const client = await newClient()
    client.query("INSERT INTO settings SELECT 'late', pg_sleep(20)::text").catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 20))
  })
  test('2: finds the baseline', baseline)

  test('is given up', { timeout: 300 }, async () => {
    const client = await newClient()
    await client.query('BEGIN')
    await client.query("DELETE FROM settings WHERE name = 'currency'")
    await client.query('SELECT pg_sleep(20)')
  })
  test('3: finds the baseline', baseline)
})

describe('what hooks opened for all tests of a suite', () => {
  beforeAll(async () => {
    const client = await newClient()
    await client.query('SELECT pg_advisory_lock(1)')
  })
  test('4: is not a leak of one of them', baseline)
})

test('holds a lock', async () => {
  const client = await newClient()
  await client.query('SELECT pg_advisory_lock(42)')
})
test('5: the lock is not reported again', baseline)
