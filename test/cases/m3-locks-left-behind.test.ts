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
          if (server.engine === 'mysql') {
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

      it('by FLUSH TABLES WITH READ LOCK of another session, nothing written, are waited for with a limit', async () => {
        await leased(server, async (database) => {
          const client = await mysql.createConnection({ uri: database.url })
          // Other tests of the server change the counts that make a reset write, though nothing is dirty here.
          await ask(server, 'CREATE DATABASE elsewhere_m3; DROP DATABASE elsewhere_m3')
          await client.query('FLUSH TABLES WITH READ LOCK')
          const [row] = (await client.query('SELECT CONNECTION_ID() AS id'))[0] as unknown as { id: number }[]
          const named = new RegExp(`connection ${row?.id}`)
          // A server that has nothing to write in a clean reset succeeds.
          const outcome = await database.reset().then(
            () => undefined,
            (error: unknown) => error,
          )
          if (outcome !== undefined || server.engine === 'mysql')
            expect(outcome).toMatchObject({ code: 'blocked', next: expect.stringMatching(named) })
          await client.end()
          await database.reset()
          expect(await database.verify()).toEqual([])
        })
      })

      if (server.engine === 'mysql') {
        it.each([
          'LOCK TABLES t READ',
          'LOCK TABLES t WRITE',
          'FLUSH TABLES t WITH READ LOCK',
          'FLUSH TABLES t FOR EXPORT',
          'HANDLER t OPEN',
        ])('are open resources: %s', async (sql) => {
          await leased(server, async (database) => {
            const client = await mysql.createConnection({ uri: database.url })
            client.on('error', () => {})
            await client.query(sql)
            const found = await database.openResources()
            expect(found).toEqual([
              expect.objectContaining({
                kind: 'table lock',
                text: expect.stringMatching(/locks t: LOCK TABLES/),
              }),
            ])
            await database.endOpenResources(found)
            await database.reset()
            expect(await database.openResources()).toEqual([])
            client.destroy()
          })
        })
      }
    })
  })
}
