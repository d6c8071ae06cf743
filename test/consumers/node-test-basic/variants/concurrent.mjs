import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import { addCustomer, count } from '../src/shop.cjs'

// All but the first must be refused: a reset before one would wipe the rows of another.
describe('a concurrent suite', { concurrency: true }, () => {
  for (const name of ['the first', 'the second', 'the third']) {
    it(name, async () => {
      assert.equal(await addCustomer('a@example.com'), 4)
    })
  }
})

test('sequential', async () => {
  assert.equal(await count('customers'), 3)
})
