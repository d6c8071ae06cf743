import { describe, expect, it } from 'vitest'
import { ask } from '../support/ask.ts'
import { asPlainRole } from '../support/plain-role.ts'
import { describeOn } from '../support/servers.ts'
import { adoptHere, withAttached, withLease } from './support.ts'

const SCHEMA = 'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)'
const SUBSCRIBE =
  "CREATE SUBSCRIPTION news CONNECTION 'host=127.0.0.1 port=1 dbname=none' PUBLICATION p WITH (connect = false)"
const UNSUBSCRIBE = ['SET (slot_name = NONE)', 'DISABLE'].map((how) => `ALTER SUBSCRIPTION news ${how}`)

for (const id of ['postgres:18', 'postgres:15'] as const) {
  describeOn(id, (server) => {
    describe('a subscription that a test created', () => {
      it('is dropped with the database, which is recreated', () =>
        withLease(server, SCHEMA, {}, async (database, run) => {
          for (const also of ['', 'ALTER TABLE t ADD more int', 'CREATE PUBLICATION p FOR TABLE t']) {
            await run(SUBSCRIBE)
            if (also !== '') await run(also)
            const report = await database.reset()
            expect(report, also).toMatchObject({
              recreated: true,
              notes: [expect.stringMatching(/subscription news is new/)],
            })
            expect((await database.reset()).notes, also).toEqual([])
            expect(await run('SELECT * FROM t'), also).toEqual([{ id: 1 }])
          }
          // The end of the lease drops it too.
          await run(SUBSCRIBE)
        }))

      it('fails every reset by name if the role may not drop it, until it is dropped', async () => {
        await withLease(await asPlainRole(server), SCHEMA, {}, async (database, run) => {
          const inside = { ...server, url: withDatabase(server.url, database.name) }
          await ask(inside, SUBSCRIBE)
          for (let round = 0; round < 2; round++) {
            await expect(database.reset()).rejects.toMatchObject({
              message: expect.stringMatching(/cannot be dropped: the subscription "news" is in it/),
              next: expect.stringMatching(/superuser/),
            })
          }
          for (const sql of [...UNSUBSCRIBE, 'DROP SUBSCRIPTION news']) await ask(inside, sql)
          await database.reset()
          expect(await run('SELECT * FROM t')).toEqual([{ id: 1 }])
        })
      })

      it('fails every reset by name without a template, until it is dropped', () =>
        withAttached(
          server,
          SCHEMA,
          {},
          async (database, run) => {
            await run(SUBSCRIBE)
            for (let round = 0; round < 2; round++) {
              await expect(database.reset()).rejects.toMatchObject({
                code: 'plan',
                message: expect.stringMatching(/subscription news is new/),
              })
            }
            for (const sql of [...UNSUBSCRIBE, 'DROP SUBSCRIPTION news']) await run(sql)
            expect((await database.reset()).notes).toEqual([])
          },
          adoptHere,
        ))
    })
  })
}

function withDatabase(url: string, database: string): string {
  const other = new URL(url)
  other.pathname = `/${database}`
  return other.toString()
}
