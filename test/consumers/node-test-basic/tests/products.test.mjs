import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it, test } from 'node:test'
import { inAnyOrder, times } from '../src/any-order.cjs'
import { addProduct, count, rows, value } from '../src/shop.cjs'

inAnyOrder('products', {
  ...times(10, 'a new product is number 5', async () => {
    assert.equal(await addProduct('desk', 300), 5)
    assert.equal(await count('products'), 5)
  }),
  'everything on sale': async () => {
    await rows('UPDATE products SET price = price / 2')
    assert.equal(await value('SELECT price::float FROM products WHERE id = 3'), 60)
  },
  'prices are as seeded': async () => {
    assert.equal(await value('SELECT sum(price)::float FROM products'), 262.4)
  },
  'a thousand products': async () => {
    await rows("INSERT INTO products (name, price) SELECT 'p' || i, i FROM generate_series(1, 1000) i")
    assert.equal(await value('SELECT max(id) FROM products'), 1004)
  },
})

describe('what hooks prepare', () => {
  let suites = 0
  before(() => suites++)
  after(() => assert.equal(suites, 1))
  beforeEach(() => addProduct('from the hook', 1))
  afterEach(() => addProduct('left by the hook', 1))

  for (const i of [1, 2]) {
    it(`is there in the test, once (${i})`, async () => {
      assert.equal(await value('SELECT max(id) FROM products'), 5)
      assert.equal(await count('products'), 5)
    })
  }
})

test('a test that skips itself', async (t) => {
  await addProduct('skipped', 1)
  t.skip('when it has written')
})

test('comes after one that skips itself', async () => {
  assert.equal(await count('products'), 4)
})
