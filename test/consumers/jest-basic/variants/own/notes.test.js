const { database } = require('afresh/jest')
const { Client } = require('pg')

let client
beforeAll(async () => {
  client = new Client({ connectionString: process.env.DATABASE_URL })
  await client.connect()
})
beforeEach(() => database.begin(client))
afterAll(async () => {
  await database.reset()
  await client.end()
})

test.each([1, 2, 3])('a database of this project, put back by a rollback (%i)', async () => {
  expect(database.name).toMatch(/^afresh_another_package_/)
  const { rows } = await client.query("INSERT INTO notes (text) VALUES ('new') RETURNING id")
  expect(rows).toEqual([{ id: 1 }])
})

test('the report is of this realm', async () => {
  await client.query("INSERT INTO notes (text) VALUES ('new')")
  expect((await database.reset()).rollback).toMatchObject({ held: true })
})
