const { addCustomer, count } = require('../../src/shop')

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

test('times out, and goes on', async () => {
  await addCustomer('early@example.com')
  await sleep(300)
  await addCustomer('late@example.com')
}, 100)

test('meanwhile', async () => {
  expect(await count('customers')).toBe(3)
  await sleep(500)
})

test('afterwards', async () => {
  expect(await addCustomer('late@example.com')).toBe(4)
})
