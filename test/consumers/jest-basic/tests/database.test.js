const { database } = require('afresh/jest')
const { addCustomer, count, rows, value } = require('../src/shop')

beforeEach(async () => {
  await addCustomer('hook@example.com')
})

// What hooks write after the tests of a file belongs to no test, and must not be in the next file.
afterAll(async () => {
  await rows('TRUNCATE customers RESTART IDENTITY CASCADE')
})

test('is the database of the application', async () => {
  expect(database.url).toBe(process.env.DATABASE_URL)
  expect(await value('SELECT current_database()')).toBe(database.name)
  expect(database.name).toMatch(/^afresh_jest_basic_[a-z0-9]{10}_[1-4]$/)
})

test.each([1, 2])('keeps what the hooks prepared (%i)', async () => {
  expect(await count('customers')).toBe(4)
  await addCustomer('another@example.com')
  expect((await database.verify()).map(({ subject }) => subject)).toContain('customers')
})

test('can be reset within a test', async () => {
  await database.reset()
  expect(await database.verify()).toStrictEqual([])
  expect(await count('customers')).toBe(3)
})

test('loads a set of fixtures', async () => {
  await database.load('more')
  expect(await count('customers')).toBe(6)
  expect(await addCustomer('next@example.com')).toBe(12)
  await expect(database.load('mroe')).rejects.toThrow('Is it more?')
})

test('takes away rows of its own', async () => {
  const { sql } = require('afresh')
  await addCustomer('mine@example.com')
  const mine = sql`email = ${'mine@example.com'}`
  expect((await database.erase('customers', mine, { cascade: 'follow' })).rows).toBe(1)
  expect((await database.erase('customers', { email: ['nobody'] }, { cascade: 'follow' })).rows).toBe(0)
  await expect(database.erase('customers', { email: {} })).rejects.toThrow('no bound')
  expect(await count('customers')).toBe(4)
})

test('says what was dirty', async () => {
  await database.reset()
  await rows("INSERT INTO settings VALUES ('a', 'b')")
  const report = await database.reset()
  expect(report.dirty).toStrictEqual(['settings'])
})
