const pg = require('pg')
const { count } = require('../../src/shop')

const leak = new pg.Client({ connectionString: process.env.DATABASE_URL, application_name: 'the leak' })
afterAll(() => leak.end())

describe.each([1])('in this order', () => {
  test('first leaves a transaction open', async () => {
    await leak.connect()
    await leak.query('BEGIN')
    await leak.query('LOCK TABLE settings')
    await leak.query("INSERT INTO settings VALUES ('leaked', 'yes')")
  })

  test('second finds the baseline', async () => {
    expect(await count('settings')).toBe(2)
  })
})
