import { expect } from 'afresh/playwright'
import pg from 'pg'
import { inAnyOrder } from './any-order.mjs'

async function rowsOf({ url }, sql) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** The process of the application, and the sessions of its pool, which are the same in each test of a worker. */
let application
const sessions = new Set()

inAnyOrder(
  {
    'the pool, the listener and the lock of the application outlive each reset': async ({
      database,
      request,
    }) => {
      const pid = await (await request.get('/health')).text()
      application ??= pid
      expect(pid).toBe(application)
      const rows = await rowsOf(
        database,
        `SELECT l.pid FROM pg_locks AS l WHERE l.locktype = 'advisory' AND l.objid = 4711 AND l.granted
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      )
      expect(rows).toHaveLength(1)
      sessions.add(rows[0].pid)
      expect(sessions.size).toBe(1)
      await request.post('/add', { form: { name: 'Linus' } })
      await expect
        .poll(async () => (await (await request.get('/notified')).json()).at(-1), { intervals: [20] })
        .toBe('Linus')
    },

    'what the job has written before is gone, and it goes on': async ({ database, page }) => {
      const begin = Date.now()
      await page.goto('/')
      const beats =
        'SELECT count(*)::int AS count, extract(epoch FROM min(at))::float AS first FROM heartbeats'
      await expect.poll(async () => (await rowsOf(database, beats))[0].count, { intervals: [20] }).not.toBe(0)
      // Seconds. A busy machine may take a while from the reset to the first line of a test.
      expect((await rowsOf(database, beats))[0].first).toBeGreaterThan(begin / 1_000 - 4)
      await page.getByLabel('Add').fill('Linus')
      await page.getByRole('button', { name: 'Add' }).click()
      await expect(page.getByRole('status')).toHaveText('Linus is guest number 3')
    },
  },
  5,
)
