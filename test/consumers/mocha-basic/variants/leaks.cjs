const assert = require('node:assert/strict')
const pg = require('pg')

const clients = []
after(() => Promise.all(clients.map((client) => client.end().catch(() => {}))))

async function newClient() {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL, application_name: 'the leak' })
  client.on('error', () => {})
  clients.push(client)
  await client.connect()
  return client
}

async function findsTheBaseline() {
  const client = await newClient()
  assert.equal((await client.query('SELECT count(*)::int FROM settings')).rows[0].count, 2)
}

describe('leaks', () => {
  it('leaves a transaction open', async () => {
    const client = await newClient()
    await client.query('BEGIN')
    await client.query('LOCK TABLE settings')
    await client.query("UPDATE settings SET value = 'changed'")
  })
  it('1: finds the baseline', findsTheBaseline)
  it('2: finds the baseline', findsTheBaseline)
})
