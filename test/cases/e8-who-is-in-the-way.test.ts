import { expect, it } from 'vitest'
import { engineNamed } from '../../src/engine/registry.ts'
import { attach } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { describeOn } from '../support/servers.ts'
import { clientOn } from './client.ts'
import { adoptHere } from './support.ts'

for (const id of ['postgres:18', 'mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    it('a lock conflict is attributed to another afresh call or to a test', () =>
      withDatabaseOn(server, `cases_${process.env.VITEST_POOL_ID}`, async (serverAtHand) => {
        await ask(serverAtHand, 'CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1), (2)')
        await adoptHere(serverAtHand.url)
        await using database = await attach(serverAtHand.url, { lockTimeoutMs: 1000 })
        const own = await engineNamed(server.engine).connect(serverAtHand.url, { names: 'user' })
        // Its lock would keep the database from being dropped, if the test fails.
        await using _ = { [Symbol.asyncDispose]: () => own.close().catch(() => {}) }
        await own.query('BEGIN')
        await own.query('SELECT id FROM users WHERE id = 1 FOR UPDATE')
        const blocked = (message: RegExp) => ({ code: 'blocked', message: expect.stringMatching(message) })
        const only = /^(?!.*a test left them open)[\s\S]*Another call of afresh is at work here/s
        await expect(database.erase('users', [1])).rejects.toMatchObject(blocked(only))
        await using client = await clientOn(server, serverAtHand.url)
        await client.query('BEGIN')
        await client.query('SELECT id FROM users WHERE id = 2 FOR UPDATE')
        const both = /a test left them open[\s\S]*Another call of afresh is at work here/
        await expect(database.erase('users', [1])).rejects.toMatchObject(blocked(both))
        await own.close()
        const left = /^(?!.*Another call of afresh)[\s\S]*a test left them open/s
        await expect(database.erase('users', [2])).rejects.toMatchObject(blocked(left))
      }))
  })
}
