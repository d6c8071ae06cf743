import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { database as shared, withDatabase } from 'afresh/node-test'
import pg from 'pg'
import { addCustomer, count, pool } from '../src/shop.js'

after(() => pool.end())

const urls = new Set()
const own = withDatabase(async ({ database }) => {
  urls.add(database.url)
  assert.throws(() => shared.url, /Tests run concurrently/)
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  const { rows } = await client.query(
    "INSERT INTO customers (email) VALUES ('new@example.com') RETURNING id::int",
  )
  await sleep(100)
  await client.end()
  assert.deepEqual(rows, [{ id: 4 }])
})

describe('a database each', { concurrency: true }, () => {
  test('one', own)
  test('two', own)
  test('three', own)
})

test('they were three', () => {
  assert.equal(urls.size, 3)
  assert.equal(urls.has(shared.url), false)
})

describe('shared', { concurrency: true }, () => {
  test('fails', () => sleep(50))
  test('fails, too', () => sleep(50))
})

test('and the next finds the baseline', async () => {
  assert.equal(await count('customers'), 3)
  await addCustomer('new@example.com')
})
