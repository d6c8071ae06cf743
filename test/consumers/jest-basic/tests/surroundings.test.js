const { addCustomer, count } = require('../src/shop')

describe.each([1, 2])('fake timers (%i)', (round) => {
  // Left on, as tests do: the next reset must get on all the same.
  test.each([1, 2])('do not stop the reset (%i)', async () => {
    jest.useRealTimers()
    expect(await addCustomer(`${round}@example.com`)).toBe(4)
    jest.useFakeTimers()
  })
})

describe('mocks and modules', () => {
  beforeEach(() => {
    jest.useRealTimers()
  })

  test.each([1, 2])('a mock of the driver does not reach the reset (%i)', async () => {
    expect(await addCustomer('mock@example.com')).toBe(4)
    jest.doMock('pg', () => {
      throw new Error('mocked')
    })
    jest.resetModules()
    expect((await require('afresh/jest').database.verify()).length).toBeGreaterThan(0)
  })

  test('and neither do modules that were reset', async () => {
    expect(await count('customers')).toBe(3)
  })
})
