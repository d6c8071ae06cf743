import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import pg from 'pg'

const clients = []
after(() => Promise.all(clients.map((client) => client.end().catch(() => {}))))

async function newClient() {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
  client.on('error', () => {})
  clients.push(client)
  await client.connect()
  return client
}

async function findsTheBaseline() {
  const client = await newClient()
  assert.equal((await client.query('SELECT count(*)::int FROM settings')).rows[0].count, 2)
}

test('leaves a transaction open', async () => {
  const client = await newClient()
  await client.query('BEGIN')
  await client.query("UPDATE settings SET value = 'changed'")
})
test('1: finds the baseline', findsTheBaseline)

test('is given up', { timeout: 300 }, async () => {
  const client = await newClient()
  await client.query('BEGIN')
  await client.query('DELETE FROM settings')
  await client.query('SELECT pg_sleep(20)').catch(() => {})
})
test('2: finds the baseline', findsTheBaseline)
