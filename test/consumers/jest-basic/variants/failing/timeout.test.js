const { addCustomer, count, pool } = require('../../src/shop')

/** A promise, and what fulfils it: the tests below wait for each other, not for time. */
function gate() {
  let open
  const passed = new Promise((resolve) => {
    open = resolve
  })
  return { open, passed }
}
const counted = gate()
const written = gate()

// A cold pool is no part of the time that the first test has.
beforeAll(() => pool.query('SELECT 1'))

test('times out, and goes on', async () => {
  await addCustomer('early@example.com')
  await counted.passed
  await addCustomer('late@example.com')
  written.open()
}, 2_000)

test('meanwhile', async () => {
  expect(await count('customers')).toBe(3)
  counted.open()
  await written.passed
})

test('afterwards', async () => {
  expect(await addCustomer('late@example.com')).toBe(4)
})
