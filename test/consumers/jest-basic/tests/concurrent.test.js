const { withDatabase } = require('afresh/jest')
const { Client } = require('pg')
const { addCustomer } = require('../src/shop')

async function newCustomer(url) {
  const client = new Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query("INSERT INTO customers (email) VALUES ('new@example.com') RETURNING id")
  await new Promise((resolve) => setTimeout(resolve, 50))
  await client.end()
  return Number(rows[0].id)
}

// In jest 29 they run beside the sequential tests of their file, too.
test.concurrent.each([[1], [2], [3]])(
  'each has a database of its own, at the baseline (%i)',
  withDatabase(async ({ database }, number) => {
    expect(number).toBeLessThan(4)
    expect(database.url).not.toBe(process.env.DATABASE_URL)
    expect(await newCustomer(database.url)).toBe(4)
    expect((await database.reset()).dirty).toContain('customers')
    expect(await newCustomer(database.url)).toBe(4)
  }),
)

test.each([1, 2, 3])('a sequential test beside them (%i)', async () => {
  expect(await addCustomer('new@example.com')).toBe(4)
})
