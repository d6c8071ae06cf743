import assert from 'node:assert/strict'
import { after } from 'node:test'
import { addCustomer, count, pool, rows, value } from './shop.js'
import { shuffled } from './shuffled.js'

after(() => pool.end())

const SETTINGS = [
  { name: 'currency', value: 'EUR' },
  { name: 'shipping', value: '4.90' },
]
const settings = () => rows('SELECT name, value FROM settings ORDER BY name')

/** Each begins with what the others change. */
const tests = {}
for (const no of [1, 2, 3]) {
  tests[`adds a customer, the fourth (${no})`] = async () => {
    assert.equal(await count('customers'), 3)
    assert.equal(await addCustomer('new@example.com'), 4)
  }
  tests[`takes the next number (${no})`] = async () => {
    assert.equal(await value("SELECT nextval('invoice_number')::int"), 1002)
  }
  tests[`changes every setting (${no})`] = async () => {
    assert.deepEqual(await settings(), SETTINGS)
    await pool.query("UPDATE settings SET value = value || '!'")
  }
  tests[`deletes an order with its lines (${no})`] = async () => {
    assert.deepEqual([await count('orders'), await count('order_lines')], [1, 1])
    await pool.query('DELETE FROM orders')
  }
  tests[`rolls back, and moves the numbers all the same (${no})`] = async () => {
    assert.equal(await value('SELECT last_value::int FROM products_id_seq'), 4)
    await pool.query("BEGIN; INSERT INTO products (name, price) VALUES ('desk', 1); ROLLBACK")
  }
}
shuffled(tests)
