import { expect, it } from 'vitest'
import { adopt } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'
import { withAttached } from './support.ts'

/** Ends every session in the database, as a server restart does. */
async function endSessions(server: ServerAtHand, name: string): Promise<void> {
  if (server.engine === 'postgres') {
    await ask(
      server,
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '${name}'`,
    )
    return
  }
  const sessions = await ask(server, `SELECT id FROM information_schema.processlist WHERE db = '${name}'`)
  for (const { id, ID = id } of sessions) {
    // That of an earlier query may have ended meanwhile.
    await ask(server, `KILL ${ID}`).catch((error: Error) => {
      if (!/Unknown thread id/.test(error.message)) throw error
    })
  }
}

for (const id of ['postgres:18', 'mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    it('every reset after the session of `attach` was lost reports what is lost with it, and how to continue', () =>
      withAttached(
        server,
        'CREATE TABLE a (id int PRIMARY KEY)',
        {},
        async (database, run) => {
          await run('INSERT INTO a VALUES (1)')
          await endSessions(server, database.name)
          for (let again = 0; again < 2; again++)
            await expect(database.reset()).rejects.toMatchObject({
              code: 'server',
              next: expect.stringMatching(/knew the baseline of "cases_\d+" is lost.*attach again/),
            })
          await expect(database.verify()).rejects.toMatchObject({ code: 'server', next: expect.any(String) })
          expect(await run('SELECT id FROM a')).toEqual([{ id: 1 }])
        },
        async (url) => void (await adopt(url, { confirm: async ({ confirmation }) => confirmation })),
      ))
  })
}
