import { describe, expect, test } from 'vitest'
import { addCustomer, count } from '../src/shop.js'

// Each of them must be refused: a reset before one would wipe the rows of the other.
test.concurrent('concurrent', async () => {
  await addCustomer('a@example.com')
})

describe.concurrent('a concurrent suite', () => {
  test('has neighbours', async () => {
    await addCustomer('b@example.com')
  })
})

test('sequential', async () => {
  expect(await count('customers')).toBe(3)
})
