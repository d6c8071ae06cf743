import { database as accessor, test } from 'afresh/vitest'
import pg from 'pg'
import { describe, expect } from 'vitest'

const urls = new Set<string>()

async function newCustomers(url: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query("INSERT INTO customers (email) VALUES ('new@example.com')")
    await client.query('SELECT pg_sleep(0.1)')
    return (await client.query('SELECT id::int, email FROM customers WHERE id > 3 ORDER BY id')).rows
  } finally {
    await client.end()
  }
}

describe.concurrent('tests that run beside each other', () => {
  test.for([1, 2, 3])('have a database each (%i)', async (_, { database }) => {
    urls.add(database.url)
    expect(await newCustomers(database.url)).toEqual([{ id: 4, email: 'new@example.com' }])
  })

  test('cannot use the one that they share', async ({ database }) => {
    expect(() => accessor.url).toThrow(/Tests run concurrently/)
    expect(database.url).not.toBe(process.env.DATABASE_URL)
  })
})

test('they were three', () => {
  expect(urls.size).toBe(3)
  expect(urls).not.toContain(accessor.url)
})

test.for([1, 2])('a sequential test has the one of the worker (%i)', async (_, { database }) => {
  expect(database.url).toBe(process.env.DATABASE_URL)
  expect(await newCustomers(database.url)).toEqual([{ id: 4, email: 'new@example.com' }])
})

test.for([1, 2])('another one beside it (%i)', async (_, { database, testDatabase }) => {
  expect(testDatabase.url).not.toBe(database.url)
  expect(await newCustomers(testDatabase.url)).toEqual([{ id: 4, email: 'new@example.com' }])
  expect(await database.verify()).toEqual([])
})

test.for([4, 5])('one of the file, on which tests build (%i)', async (id, { fileDatabase }) => {
  const client = new pg.Client({ connectionString: fileDatabase.url })
  await client.connect()
  const { rows } = await client.query('INSERT INTO customers (email) VALUES ($1) RETURNING id::int', [
    `${id}@example.com`,
  ])
  await client.end()
  expect(rows).toEqual([{ id }])
})
