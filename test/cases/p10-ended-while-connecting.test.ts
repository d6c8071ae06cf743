/** The server answered, and ended the session: that is no matter of host and port. */
import { expect, it } from 'vitest'
import { connect } from '../../src/engine/postgres/connection.ts'
import { AfreshError } from '../../src/errors.ts'
import { ask } from '../support/ask.ts'
import { describeOn } from '../support/servers.ts'

/** The first failure to connect. Many connections at once compete for the processor, so that some are slow. */
async function failureOf(url: string): Promise<AfreshError> {
  for (let attempt = 0; attempt < 40; attempt++) {
    const attempts = Array.from({ length: 20 }, async () => (await connect(url)).close())
    const failed = (await Promise.allSettled(attempts)).find(({ status }) => status === 'rejected')
    if (failed?.status !== 'rejected') continue
    if (failed.reason instanceof AfreshError) return failed.reason
    throw failed.reason
  }
  throw new Error('every attempt succeeded')
}

const TIMEOUTS = {
  'postgres:18': ['idle_session_timeout', 'transaction_timeout', 'statement_timeout'],
  'postgres:15': ['idle_session_timeout', 'statement_timeout'],
} as const

for (const [id, timeouts] of Object.entries(TIMEOUTS)) {
  describeOn(id as keyof typeof TIMEOUTS, (server) => {
    it.each(timeouts)('names %s, and where it is set', async (setting) => {
      const role = `hurried_${setting}`
      await ask(server, `DROP ROLE IF EXISTS ${role}; CREATE ROLE ${role} LOGIN PASSWORD 'p'`)
      await ask(server, `ALTER ROLE ${role} SET ${setting} = 1`)
      try {
        const url = new URL(server.url)
        url.username = role
        url.password = 'p'
        const error = await failureOf(url.toString())
        expect(error.code).toBe('server')
        expect(error.message).toContain(`by its setting ${setting}: `)
        expect(error.message).not.toMatch(/no answer|Check host/)
        expect(error.next).toContain(`for the role "${role}"`)
        expect(error.next).toContain(`RESET ${setting}`)
      } finally {
        await ask(server, `DROP ROLE ${role}`)
      }
    })
  })
}

describeOn('postgres:18', (server) => {
  it('says that another session ended it', async () => {
    await ask(server, 'CREATE DATABASE ends_sessions')
    const url = new URL(server.url)
    url.pathname = '/ends_sessions'
    const inside = { ...server, url: url.toString() }
    try {
      await ask(
        inside,
        `CREATE FUNCTION ends() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
           PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE pid = pg_backend_pid() AND application_name LIKE 'afresh%'; END $$;
         CREATE EVENT TRIGGER ends ON login EXECUTE FUNCTION ends()`,
      )
      const error = await failureOf(inside.url)
      expect(error.message).toMatch(/ended a session that afresh was opening: terminating connection/)
      expect(error.next).toMatch(/pg_terminate_backend/)
    } finally {
      await ask(server, 'DROP DATABASE ends_sessions WITH (FORCE)')
    }
  })

  it('does not doubt host and port when the server gives another reason', async () => {
    await ask(server, 'CREATE DATABASE takes_nobody ALLOW_CONNECTIONS false')
    try {
      const url = new URL(server.url)
      url.pathname = '/takes_nobody'
      const error = await failureOf(url.toString())
      expect(error.message).toMatch(/not currently accepting connections/)
      expect(error.next).toMatch(/^The server sent this/)
    } finally {
      await ask(server, 'DROP DATABASE takes_nobody')
    }
  })

  it('keeps the reason of an end between two queries for the next query', async () => {
    const connection = await connect(server.url)
    const [{ pid } = {}] = await connection.query('SELECT pg_backend_pid() AS pid')
    await ask(server, `SELECT pg_terminate_backend(${Number(pid)}, 5000)`)
    await ask(server, 'SELECT 1')
    await expect(connection.query('SELECT 1')).rejects.toMatchObject({ code: '57P01' })
    await connection.close().catch(() => {})
  })
})
