// A small application as it is deployed: one pool for its life, a listener, a lock that makes it the leader, and a job.
import { createServer } from 'node:http'
import pg from 'pg'
import { page } from './page.mjs'

const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  application_name: 'the application',
  max: 4,
})
// A server may always end a session. Without these, Node would end the process.
pool.on('error', () => {})
pool.on('connect', (client) => client.on('error', () => {}))

const notified = []
const listener = await pool.connect()
listener.on('notification', ({ payload }) => notified.push(payload))
await listener.query('LISTEN guests')
await listener.query('SELECT pg_advisory_lock(4711)')

/** In a transaction, which a session of the pool must not keep if it fails. */
async function inTransaction(work) {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await work(client)
    await client.query('COMMIT')
    client.release()
  } catch (error) {
    process.stderr.write(`the application: ${error.message}\n`)
    await client.query('ROLLBACK').catch(() => {})
    client.release()
  }
}

const beat = () =>
  inTransaction(async (client) => {
    await client.query('INSERT INTO heartbeats DEFAULT VALUES')
    await client.query('SELECT pg_sleep(0.005)')
  })
setInterval(beat, 40)

// Named, so that the sessions of the pool keep them prepared.
const LIST = {
  name: 'list',
  text: 'SELECT g.id, g.name, i.name AS host FROM guests AS g LEFT JOIN guests AS i ON i.id = g.invited_by ORDER BY g.id',
}
const title = async () => (await pool.query("SELECT value FROM settings WHERE name = 'title'")).rows[0]?.value

/** What a form of the page asks for. */
const ACTIONS = {
  async add({ name }) {
    const { rows } = await pool.query('INSERT INTO guests (name, invited_by) VALUES ($1, 1) RETURNING id', [
      name,
    ])
    await pool.query("SELECT pg_notify('guests', $1)", [name])
    return `${name} is guest number ${rows[0].id}`
  },
  async remove({ id }) {
    await pool.query('DELETE FROM guests WHERE id = $1', [id])
    return `Guest number ${id} is gone`
  },
  async rename({ name }) {
    await pool.query("UPDATE settings SET value = $1 WHERE name = 'title'", [name])
    return 'The title is another one'
  },
  async clear() {
    await pool.query('TRUNCATE guests RESTART IDENTITY')
    return 'Nobody is left'
  },
  // A slow one: the page does not wait for it.
  async later({ name }) {
    void inTransaction(async (client) => {
      await client.query('SELECT pg_sleep(0.4)')
      await client.query('INSERT INTO guests (name) VALUES ($1)', [name])
    })
    return 'Later'
  },
  // The bug of many an application: an early return without COMMIT.
  async forget({ name }) {
    const client = await pool.connect()
    await client.query('BEGIN')
    await client.query('INSERT INTO guests (name) VALUES ($1)', [name])
    return 'Forgotten'
  },
}

async function answer(request, response) {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost')
  if (pathname === '/health') return response.end(String(process.pid))
  if (pathname === '/notified') return response.end(JSON.stringify(notified))
  if (request.method === 'POST') {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()))
    const said = await ACTIONS[pathname.slice(1)](form).catch((error) => `Error: ${error.message}`)
    response.writeHead(303, { location: `/?said=${encodeURIComponent(said)}` })
    return response.end()
  }
  const guests = (await pool.query(LIST)).rows
  response.setHeader('content-type', 'text/html; charset=utf-8')
  response.end(page({ title: await title(), guests, said: searchParams.get('said') }))
}

createServer((request, response) => {
  answer(request, response).catch((error) => {
    response.statusCode = 500
    response.end(error.message)
  })
}).listen(Number(process.env.PORT))
