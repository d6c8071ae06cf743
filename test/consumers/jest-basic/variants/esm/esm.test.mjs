import { database, withDatabase } from 'afresh/jest'
import pg from 'pg'
import shop from '../../src/shop.js'

const { addCustomer } = await import('../../src/shop.js').then((module) => module.default)

test.each([1, 2, 3])('a new customer is number 4 (%i)', async () => {
  expect(database.url).toBe(process.env.DATABASE_URL)
  expect(await addCustomer('new@example.com')).toBe(4)
  expect((await database.verify())[0]).toStrictEqual({
    subject: 'customers',
    difference: 'has 4 rows, not 3',
  })
})

test.concurrent.each([[1], [2], [3]])(
  'concurrently, too (%i)',
  withDatabase(async (own) => {
    const client = new pg.Client({ connectionString: own.database.url })
    await client.connect()
    const { rows } = await client.query("INSERT INTO customers (email) VALUES ('e') RETURNING id::int")
    await client.end()
    expect(rows).toEqual([{ id: 4 }])
  }),
)

test('of the same module', async () => {
  expect(await shop.count('customers')).toBe(3)
})
