/** An engine is its folder and a line in the registry: higher layers work with any engine. */
import { expect, it } from 'vitest'
import { openSession } from '../../../src/reset/session.ts'
import { type ToyDatabase, toy } from './engine.ts'

const OPTIONS = {
  strategy: 'auto',
  sequences: 'restart',
  keep: [],
  lockTimeoutMs: 1000,
  detector: 'auto',
  crossCheck: true,
} as const

function shop(): ToyDatabase {
  return {
    rows: new Map([
      ['customers', [{ id: 1 }, { id: 2 }]],
      ['orders', []],
      ['lines', []],
    ]),
    references: [
      { from: 'lines', column: 'order', to: 'orders' },
      { from: 'orders', column: 'customer', to: 'customers' },
    ],
  }
}

async function sessionOn(database: ToyDatabase) {
  const connection = toy.wrap(database)
  if (connection === undefined) throw new Error('not recognised')
  return openSession({ engine: toy, connection, options: OPTIONS, claim: undefined })
}

it('a reset restores what a test wrote, deleting children first and inserting parents first', async () => {
  const database = shop()
  const session = await sessionOn(database)
  database.rows.set('orders', [{ id: 10, customer: 1 }])
  database.rows.set('lines', [{ id: 100, order: 10 }])
  database.rows.set('customers', [{ id: 1 }, { id: 3 }])
  const { report } = await session.reset()
  expect(report.dirty.toSorted()).toEqual(['customers', 'lines', 'orders'])
  expect(report.steps.map(({ step }) => step)).toEqual([
    'delete from lines',
    'delete from orders',
    'delete from customers',
    'put back the baseline rows of customers',
  ])
  expect([...database.rows]).toEqual([...shop().rows])
  expect(await session.verify()).toEqual([])
})

it('a clean database needs no step, and verify names differences from the baseline', async () => {
  const database = shop()
  const session = await sessionOn(database)
  expect((await session.reset()).report.steps).toEqual([])
  database.rows.set('orders', [{ id: 10, customer: 1 }])
  expect(await session.verify()).toMatchObject([{ subject: 'orders' }])
})
