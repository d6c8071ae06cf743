// Run without --import: the file's own import does it all.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { database } from 'afresh/node-test'

const { addCustomer } = await import('../src/shop.cjs')

for (const i of [1, 2]) {
  test(`has a database (${i})`, async () => {
    assert.equal(database.url, process.env.DATABASE_URL)
    assert.equal(await addCustomer('new@example.com'), 4)
  })
}
