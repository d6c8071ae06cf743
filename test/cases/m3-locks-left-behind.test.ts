import mysql from 'mysql2/promise'
import { describe, expect, it } from 'vitest'
import { createHarness, existing, type TestDatabase } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'

async function leased(server: ServerAtHand, body: (database: TestDatabase) => Promise<void>): Promise<void> {
  await using harness = await createHarness({
    server: existing(server.url),
    migrate: async ({ url }) =>
      void (await ask({ ...server, url }, 'CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, n int)')),
    lockTimeoutMs: 1000,
  })
  await using database = await harness.lease()
  await body(database)
}

for (const id of ['mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    describe('locks that a test left', () => {
      it.each([
        [
          'an XA transaction whose client is gone',
          "XA START 'left'; INSERT INTO t (n) VALUES (1); XA END 'left'; XA PREPARE 'left'",
          true,
        ],
        ['LOCK TABLES', 'LOCK TABLES t READ', false],
        ['FLUSH TABLES WITH READ LOCK', 'FLUSH TABLES WITH READ LOCK', false],
      ])('are named in the error: %s', async (_, sql, leaves) => {
        await leased(server, async (database) => {
          await ask({ ...server, url: database.url }, 'INSERT INTO t (n) VALUES (7)')
          const client = await mysql.createConnection({ uri: database.url, multipleStatements: true })
          await client.query(sql)
          const [row] = (await client.query('SELECT CONNECTION_ID() AS id'))[0] as unknown as { id: number }[]
          if (leaves) client.destroy()
          const named = leaves ? /XA transaction left/ : new RegExp(`connection ${row?.id}`)
          await expect(database.reset()).rejects.toMatchObject({
            code: 'blocked',
            next: expect.stringMatching(named),
          })
          if (server.engine === 'mysql' && !sql.startsWith('LOCK')) {
            expect((await database.openResources()).map(({ text }) => text)).toEqual([
              expect.stringMatching(named),
            ])
          }
          if (leaves) await ask(server, "XA ROLLBACK 'left'")
          else await client.end()
          await database.reset()
          expect(await database.verify()).toEqual([])
        })
      })
    })
  })
}
