import { afterEach, describe, expect, test } from 'vitest'
import { addCustomer, count } from '../src/shop.js'

let attempts = 0
const repeated: number[] = []

describe('every attempt begins at the baseline', () => {
  test('after a failure', { retry: 2 }, async () => {
    attempts++
    expect(await addCustomer('retry@example.com')).toBe(4)
    expect(attempts).toBe(3)
  })

  test('when repeated', { repeats: 2 }, async () => {
    repeated.push(await addCustomer('repeat@example.com'))
    expect(await count('customers')).toBe(4)
    expect(new Set(repeated)).toEqual(new Set([4]))
  })
})

describe('what an afterEach leaves', () => {
  afterEach(async () => {
    await addCustomer('late@example.com')
  })

  test.each([1, 2])('is gone in the next test (%i)', async () => {
    expect(await count('customers')).toBe(3)
  })
})
