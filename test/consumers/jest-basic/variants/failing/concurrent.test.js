const { withDatabase } = require('afresh/jest')
const { addCustomer, count } = require('../../src/shop')

// Each of these four must be refused: nothing would reset the database that they share.
test.concurrent('concurrent', async () => {
  await addCustomer('a@example.com')
})
test.concurrent.each([[1], [2]])('of a table (%i)', async () => {
  await addCustomer('b@example.com')
})
describe('a suite', () => {
  it.concurrent('it, too', () => addCustomer('c@example.com'))
})

test.concurrent.failing(
  'gives its database back when it fails',
  withDatabase(() => {
    throw new Error('failed')
  }),
)
test.concurrent
  .skip('skipped', () => addCustomer('d@example.com'))

test('sequential', async () => {
  expect(await count('customers')).toBe(3)
})
