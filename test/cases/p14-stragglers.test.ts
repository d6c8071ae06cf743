import pg from 'pg'
import { expect, it } from 'vitest'
import { hold } from '../support/hold.ts'
import { asPlainRole } from '../support/plain-role.ts'
import { describeOn } from '../support/servers.ts'
import { untilWaiting } from '../support/waiting.ts'
import { withLease } from './support.ts'

const SCHEMA = `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
  INSERT INTO a SELECT generate_series(1, 200); INSERT INTO b SELECT n, n FROM generate_series(1, 200) AS n`

/** Another session writes as fast as it can. A trigger in the test would itself be a schema change. */
for (const id of ['postgres:18', 'postgres:15'] as const) {
  describeOn(id, (bare) => {
    it('what another session commits during a reset never becomes baseline, with constraints enabled', async () => {
      const server = await asPlainRole(bare)
      await withLease(server, SCHEMA, {}, async (database, run) => {
        const writer = new pg.Client({ connectionString: database.url })
        await writer.connect()
        try {
          for (let round = 0; round < 60; round++) {
            await run(`UPDATE b SET a = 1 WHERE id = ${round + 1}`)
            let isOver = false
            const writing = (async () => {
              for (let n = 1000; !isOver; n++)
                await writer.query(`INSERT INTO b VALUES (${n}, NULL)`).catch(() => {})
            })()
            await database.reset().catch(() => {})
            isOver = true
            await writing
            await database.reset()
            expect(await database.verify(), `round ${round}`).toEqual([])
          }
        } finally {
          await writer.end()
        }
      })
    })
  })
}

describeOn('postgres:18', (server) => {
  it('a table that is truncated while a reset restores others is found by the next reset', () =>
    withLease(
      server,
      `CREATE TABLE moved (id int PRIMARY KEY); INSERT INTO moved VALUES (1); CREATE TABLE waits (id int PRIMARY KEY);
       CREATE TABLE clean (id int PRIMARY KEY); INSERT INTO clean VALUES (1), (2)`,
      { detector: 'wal' },
      async (database, run) => {
        await database.reset()
        await run('TRUNCATE moved')
        await run('INSERT INTO waits VALUES (1)')
        const held = await hold({ ...server, url: database.url }, 'LOCK TABLE waits IN SHARE MODE')
        const resetting = database.reset()
        await untilWaiting(server)
        await run('TRUNCATE clean')
        await held.commit()
        expect((await resetting).dirty).toEqual(expect.arrayContaining(['moved', 'waits']))
        expect((await database.reset()).dirty).toEqual(['clean'])
        expect(await run('SELECT id FROM clean ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }])
      },
    ))
})
