const { addCustomer, count } = require('../src/shop')

jest.retryTimes(2)

let attempts = 0

describe('every attempt begins at the baseline', () => {
  test('after a failure', async () => {
    attempts++
    expect(await addCustomer('retry@example.com')).toBe(4)
    expect(attempts).toBe(3)
  })

  test.each([1, 2, 3])('and so does the test beside it (%i)', async () => {
    expect(await addCustomer('retry@example.com')).toBe(4)
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
