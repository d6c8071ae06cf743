import { sql } from 'afresh'
import { database, test } from 'afresh/vitest'
import { beforeEach, describe, expect } from 'vitest'
import { addCustomer, count, rows, value } from '../src/shop.js'

describe('the fixture', () => {
  beforeEach(async () => {
    await addCustomer('hook@example.com')
  })

  test('is the database of the application', async ({ database }) => {
    expect(database.url).toBe(process.env.DATABASE_URL)
    expect(await value('SELECT current_database()')).toBe(database.name)
    expect(database.name).toMatch(/^afresh_vitest_basic_[a-z0-9]{10}_\d+$/)
  })

  // Both the setup file and the fixture reset: what a hook prepared in between must stay.
  test.for([1, 2])('keeps what the hooks prepared (%i)', async (_, { database }) => {
    expect(await count('customers')).toBe(4)
    await addCustomer('another@example.com')
    expect((await database.verify()).map(({ subject }) => subject)).toContain('customers')
  })

  test('takes away rows of its own', async ({ database }) => {
    await addCustomer('mine@example.com')
    const mine = sql`email = ${'mine@example.com'}`
    expect(await database.erase('customers', mine, { cascade: 'follow' })).toMatchObject({ rows: 1 })
    expect(await count('customers')).toBe(4)
  })

  test('can be reset within a test', async ({ database }) => {
    await database.reset()
    expect(await database.verify()).toEqual([])
    expect(await count('customers')).toBe(3)
  })
})

describe('the accessor', () => {
  test('is the same database', async () => {
    expect(database.url).toBe(process.env.DATABASE_URL)
  })

  test('says what was dirty', async () => {
    await rows("INSERT INTO settings VALUES ('a', 'b')")
    const report = await database.reset()
    expect(report.dirty).toEqual(['settings'])
  })
})
