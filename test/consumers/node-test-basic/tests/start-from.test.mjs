import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { database, startFrom } from 'afresh/node-test'
import { addCustomer, count } from '../src/shop.cjs'

describe('with a fourth customer', () => {
  startFrom('four customers', async () => {
    assert.equal(await addCustomer('eve@example.com'), 4)
  })

  for (const n of [1, 2]) {
    test(`a new customer is number 5 (${n})`, async () => {
      assert.equal(await addCustomer('new@example.com'), 5)
    })
  }

  test('a manual reset returns to the baseline', async () => {
    await database.reset()
    assert.equal(await count('customers'), 3)
  })

  describe('and a fifth', () => {
    startFrom('five customers', () => addCustomer('mallory@example.com'), 20_000)

    for (const n of [1, 2]) {
      test(`a new customer is number 6 (${n})`, async () => {
        assert.equal(await addCustomer('new@example.com'), 6)
      })
    }
  })
})

describe('in the next suite', () => {
  test('a new customer is number 4', async () => {
    assert.equal(await addCustomer('new@example.com'), 4)
    await assert.rejects(database.restore('four customers'), /there is no snapshot/)
  })
})
