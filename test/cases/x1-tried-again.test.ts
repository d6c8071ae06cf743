import { expect, it } from 'vitest'
import { ask } from '../support/ask.ts'
import { describeOn } from '../support/servers.ts'
import { withLease } from './support.ts'

describeOn('postgres:18', (server) => {
  it('a reset that fails to lease again gives the reason, and the next reset retries', () =>
    withLease(server, 'CREATE TABLE a (id int PRIMARY KEY)', {}, async (database, run) => {
      await run('INSERT INTO a VALUES (1)')
      const cut = () =>
        ask(
          server,
          `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '${database.name}'`,
        )
      await cut()
      await ask(server, `ALTER DATABASE ${database.name} ALLOW_CONNECTIONS false`)
      for (let again = 0; again < 3; again++) {
        await expect(database.reset()).rejects.toMatchObject({ code: 'server', next: expect.any(String) })
      }
      await ask(server, `ALTER DATABASE ${database.name} ALLOW_CONNECTIONS true`)
      await database.reset()
      expect(await run('SELECT * FROM a')).toEqual([])
      await run('INSERT INTO a VALUES (1)')
      expect((await database.reset()).dirty).toEqual(['a'])
    }))
})
