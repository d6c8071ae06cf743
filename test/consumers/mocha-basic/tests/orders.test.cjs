const assert = require('node:assert/strict')
const { database } = require('afresh/mocha')
const { inAnyOrder, times } = require('../src/any-order.cjs')
const { count, placeOrder, rows, value } = require('../src/shop.cjs')

inAnyOrder('orders', {
  ...times(10, 'a new order is number 2 with invoice 1002', async () => {
    assert.equal(await placeOrder(2, { 1: 5, 2: 10 }), 2)
    assert.equal(await value('SELECT invoice FROM orders WHERE id = 2'), 1002)
    assert.equal(await value('SELECT stock FROM products WHERE id = 1'), 0)
  }),
  'an order that fails leaves nothing but a gap in the numbers': async () => {
    await assert.rejects(placeOrder(1, { 4: 1 }), /products_stock_check/)
    assert.equal(await placeOrder(1, { 2: 1 }), 3)
  },
  'a test may truncate everything': async () => {
    await rows('TRUNCATE customers, products, orders, order_lines, settings RESTART IDENTITY')
    assert.equal(await count('customers'), 0)
  },
  'a test with a callback': (done) => {
    rows("UPDATE settings SET value = 'USD'").then(() => done(), done)
  },
  'require gives the database of the application': async () => {
    assert.equal(await value('SELECT current_database()'), database.name)
    assert.equal(database.url, process.env.DATABASE_URL)
  },
})
