import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it, test } from 'node:test'
import { database as shared, withDatabase } from 'afresh/node-test'
import pg from 'pg'

async function newCustomer(url) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query(
      "INSERT INTO customers (email) VALUES ('new@example.com') RETURNING id::int",
    )
    return rows[0].id
  } finally {
    await client.end()
  }
}

const names = new Set()
let waiting = 0
const all = new EventTarget()

// Each waits for the others: they pass only where they run at the same time.
describe('side by side', { concurrency: true }, () => {
  for (const i of [1, 2, 3]) {
    it(
      `with a database of its own (${i})`,
      withDatabase(async ({ database }, t) => {
        assert.equal(await newCustomer(database.url), 4)
        const together = once(all, 'together')
        if (++waiting === 3) all.dispatchEvent(new Event('together'))
        await together
        assert.notEqual(database.name, shared.name)
        names.add(database.name)
        await t.test('a subtest', () => database.reset())
        assert.equal(await newCustomer(database.url), 4)
      }),
    )
  }
})

test(
  'fails and gives it back',
  { todo: 'it must fail' },
  withDatabase(async ({ database }) => {
    await newCustomer(database.url)
    throw new Error('on purpose')
  }),
)

for (const i of [1, 2]) {
  test(
    `which the next one gets, at the baseline (${i})`,
    withDatabase(async ({ database }) => {
      assert.equal(names.size, 3)
      assert.ok(names.has(database.name))
      assert.equal(await newCustomer(database.url), 4)
    }),
  )
}
