const assert = require('node:assert/strict')
const { after, test } = require('node:test')
const { database } = require('afresh/node-test')
const pg = require('pg')

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
after(() => pool.end())

for (const no of [1, 2]) {
  test(`CommonJS has it too (${no})`, async () => {
    assert.equal(database.url, process.env.DATABASE_URL)
    const { rows } = await pool.query(
      "INSERT INTO customers (email) VALUES ('new@example.com') RETURNING id::int",
    )
    assert.deepEqual(rows, [{ id: 4 }])
  })
}
