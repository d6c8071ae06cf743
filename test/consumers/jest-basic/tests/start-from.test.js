const { database, startFrom } = require('afresh/jest')
const { addCustomer, count } = require('../src/shop')

describe('with a fourth customer', () => {
  startFrom('four customers', async () => {
    expect(await addCustomer('eve@example.com')).toBe(4)
  })

  test.each([1, 2])('a new customer is number 5 (%i)', async () => {
    expect(await addCustomer('new@example.com')).toBe(5)
  })

  test('a manual reset returns to the baseline', async () => {
    await database.reset()
    expect(await count('customers')).toBe(3)
  })

  describe('and a fifth', () => {
    startFrom('five customers', () => addCustomer('mallory@example.com'), 20_000)

    test.each([1, 2])('a new customer is number 6 (%i)', async () => {
      expect(await addCustomer('new@example.com')).toBe(6)
    })
  })
})

describe('in the next suite', () => {
  test('a new customer is number 4', async () => {
    expect(await addCustomer('new@example.com')).toBe(4)
    await expect(database.restore('four customers')).rejects.toThrow('there is no snapshot')
  })
})
