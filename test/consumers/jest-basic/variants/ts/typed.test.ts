import { expect, test } from '@jest/globals'
import { database, type WithDatabase, type WorkerDatabase, withDatabase } from 'afresh/jest'

declare const require: (name: string) => { addCustomer(email: string): Promise<number> }
const { addCustomer } = require('../../src/shop')

test.each([1, 2, 3])('a new customer is number 4 (%i)', async () => {
  const here: WorkerDatabase = database
  expect(here.url).toContain(here.name)
  expect(await addCustomer('new@example.com')).toBe(4)
  const { dirty } = await database.reset()
  expect(dirty.map((label: string) => label.length)).not.toHaveLength(0)
})

test.concurrent(
  'a database of its own',
  withDatabase(async (context: WithDatabase) => {
    expect(context.database.url).not.toBe(database.url)
  }),
)

test.concurrent.each([
  [1, 'one'],
  [2, 'two'],
])(
  'with the values of its row (%i)',
  withDatabase(async ({ database: own }, number: number, word: string) => {
    expect(own.name).not.toBe(database.name)
    expect(number.toFixed() + word).toMatch(/^(1one|2two)$/)
  }),
)
