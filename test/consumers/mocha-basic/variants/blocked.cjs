const assert = require('node:assert/strict')
const pg = require('pg')

const client = new pg.Client({ connectionString: process.env.DATABASE_URL, application_name: 'the leak' })
client.on('error', () => {})
const other = new pg.Client({ connectionString: process.env.DATABASE_URL })
after(() => Promise.all([client.end(), other.end()]))

before(() => Promise.all([client.connect(), other.connect()]))

describe('a test', () => {
  it('holds a row', async () => {
    await client.query('BEGIN')
    await client.query("UPDATE settings SET value = 'changed'")
    await other.query("INSERT INTO settings VALUES ('of a test', 'yes')")
  })
})

describe('the next one', () => {
  let prepared = 0
  beforeEach(() => {
    prepared++
  })
  after(() => assert.equal(prepared, 0))
  it('is not run, since its reset fails', () => {
    throw new Error('it was run')
  })
})

describe('once the transaction has ended', () => {
  before(() => client.query('ROLLBACK'))
  it('all is well', async () => {
    const { rows } = await other.query('SELECT count(*)::int FROM settings')
    assert.equal(rows[0].count, 2)
  })
})
