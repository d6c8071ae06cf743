import { database as accessor, test } from 'afresh/vitest'
import pg from 'pg'
import { expect } from 'vitest'

async function newCustomer(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ id: number }>(
      "INSERT INTO customers (email) VALUES ('new@example.com') RETURNING id::int",
    )
    return rows[0]?.id ?? 0
  } finally {
    await client.end()
  }
}

test.for([1, 2, 3])('is reset before each test that takes it (%i)', async (_, { database }) => {
  expect(await newCustomer(database.url)).toBe(4)
  expect(process.env.DATABASE_URL).toBe(database.url)
  expect(accessor.url).toBe(database.url)
})
