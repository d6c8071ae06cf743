const assert = require('node:assert/strict')
const { inAnyOrder, times } = require('../src/any-order.cjs')
const { addProduct, count, rows } = require('../src/shop.cjs')

inAnyOrder('products', {
  ...times(8, 'a new product is number 5', async () => {
    assert.equal(await addProduct('sofa', 900), 5)
    assert.equal(await count('products'), 5)
  }),
  'a sale changes every price': async () => {
    await rows('UPDATE products SET price = price / 2')
  },
  'nothing is on sale': async () => {
    const prices = await rows('SELECT price::float FROM products ORDER BY id')
    assert.deepEqual(
      prices.map(({ price }) => price),
      [49.9, 12.5, 120, 80],
    )
  },
})
