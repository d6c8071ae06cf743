import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'afresh'
import { database } from 'afresh/node-test'
import { addCustomer, count } from '../src/shop.cjs'

// Awaited at the top of a file, with a pause: node calls `after` hooks in between.
for (const i of [1, 2, 3]) {
  await test(`subtests find what their test has prepared (${i})`, async (t) => {
    assert.equal(await addCustomer('parent@example.com'), 4)
    await t.test('the first', async () => assert.equal(await addCustomer('first@example.com'), 5))
    await t.test('the second', async (t) => {
      assert.equal(await addCustomer('second@example.com'), 6)
      await t.test('and within', async () => assert.equal(await count('customers'), 6))
    })
    await Promise.all([1, 2].map((n) => t.test(`side by side ${n}`, () => addCustomer(`${n}@example.com`))))
    assert.equal(await count('customers'), 8)
  })
  await sleep(20)
}

test('the database says what was dirty', async () => {
  await addCustomer('dirty@example.com')
  assert.deepEqual((await database.verify()).map(({ subject }) => subject).includes('customers'), true)
  assert.deepEqual((await database.reset()).dirty.includes('customers'), true)
  assert.deepEqual(await database.verify(), [])
})

test('the database takes away rows of its own', async () => {
  const before = await count('customers')
  await addCustomer('mine@example.com')
  const { rows } = await database.erase('customers', sql`email = ${'mine@example.com'}`, {
    cascade: 'follow',
  })
  assert.equal(rows, 1)
  assert.equal(await count('customers'), before)
})
