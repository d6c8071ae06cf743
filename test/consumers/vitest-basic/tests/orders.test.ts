import { describe, expect, test } from 'vitest'
import { count, placeOrder, rows, value } from '../src/shop.js'

describe('orders', () => {
  test.each([1, 2, 3])('a new order is number 2 with invoice 1002 (%i)', async () => {
    const id = await placeOrder(2, { 1: 5, 2: 10 })
    expect(id).toBe(2)
    expect(await value('SELECT invoice FROM orders WHERE id = $1', [id])).toBe(1002)
    expect(await value('SELECT stock FROM products WHERE id = 1')).toBe(0)
  })

  test('the last chair can be bought', async () => {
    await placeOrder(1, { 3: 1 })
    expect(await value('SELECT stock FROM products WHERE id = 3')).toBe(0)
  })

  test('the last chair can be bought, by another customer', async () => {
    await placeOrder(3, { 3: 1 })
    expect(await value('SELECT stock FROM products WHERE id = 3')).toBe(0)
  })

  test('an order that fails leaves nothing but a gap in the numbers', async () => {
    await expect(placeOrder(1, { 4: 1 })).rejects.toThrow(/products_stock_check/)
    expect(await count('orders')).toBe(1)
    expect(await placeOrder(1, { 2: 1 })).toBe(3)
  })

  test('a rolled-back order does not move the numbers of the next test', async () => {
    await expect(placeOrder(99, { 2: 1 })).rejects.toThrow(/customer_id_fkey/)
    expect(await value("SELECT nextval('invoice_number')::int")).toBe(1003)
  })

  test('deleting an order takes its lines along', async () => {
    await rows('DELETE FROM orders WHERE id = 1')
    expect(await count('order_lines')).toBe(0)
  })

  test('the seeded order has its line', async () => {
    expect(await rows('SELECT * FROM order_lines')).toEqual([{ order_id: 1, product_id: 2, quantity: 3 }])
  })

  test('a test may truncate everything', async () => {
    await rows('TRUNCATE customers, products, orders, order_lines, settings RESTART IDENTITY')
    expect(await count('customers')).toBe(0)
  })
})
