import assert from 'node:assert/strict'
import { after, beforeEach, describe, test } from 'node:test'
import { database } from 'afresh/node-test'
import { addCustomer, count, pool } from '../src/shop.js'

after(() => pool.end())

test('a part does not wipe what the test has prepared', async (t) => {
  assert.equal(database.url, process.env.DATABASE_URL)
  assert.equal(await addCustomer('whole@example.com'), 4)
  await t.test('one', async () => assert.equal(await addCustomer('one@example.com'), 5))
  await t.test('two', async () => assert.equal(await count('customers'), 5))
})

describe('a suite', () => {
  beforeEach(() => addCustomer('hook@example.com'))
  test('one', async () => assert.equal(await count('customers'), 4))
  test('two', async () => {
    assert.equal(await count('customers'), 4)
    await database.reset()
    assert.deepEqual(await database.verify(), [])
  })
})
