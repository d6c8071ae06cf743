import { expect, it } from 'vitest'
import { postgres } from '../../src/engine/postgres/index.ts'
import { attach } from '../../src/index.ts'
import { openSession } from '../../src/reset/session.ts'
import { ask } from '../support/ask.ts'
import { describeOn } from '../support/servers.ts'

describeOn('embedded:18', (server) => {
  it('a detector that misses a change fails the reset by name, and nothing is changed', async () => {
    await ask(server, 'DROP DATABASE IF EXISTS cross_check')
    await ask(server, 'CREATE DATABASE cross_check')
    const url = Object.assign(new URL(server.url), { pathname: '/cross_check' }).href
    await ask({ ...server, url }, 'CREATE TABLE seen (id int); CREATE TABLE missed (id int)')
    const database = await attach(url)
    const connection = await postgres.connect(url)
    const session = await openSession({
      // The real engine, with a detector that misses changes.
      engine: {
        ...postgres,
        async prepare(...input) {
          const resetter = await postgres.prepare(...input)
          const detect = async (by?: 'scan' | 'wal' | 'counters') => {
            const found = await resetter.detect(by)
            return by === 'scan' ? found : found.slice(0, 1)
          }
          return {
            reset: () => resetter.reset(),
            detect,
            changes: async () => (await resetter.changes?.()) ?? [],
            close: () => resetter.close(),
          }
        },
      },
      connection,
      options: {
        strategy: 'auto',
        sequences: 'restart',
        keep: [],
        lockTimeoutMs: 1000,
        detector: 'auto',
        crossCheck: true,
      },
      claim: undefined,
    })
    await ask({ ...server, url }, 'INSERT INTO seen VALUES (1)')
    expect((await session.reset()).report.dirty).toEqual(['seen'])
    await ask({ ...server, url }, 'INSERT INTO seen VALUES (1); INSERT INTO missed VALUES (1)')
    await expect(session.reset()).rejects.toThrow(/missed what a scan finds dirty: (missed|seen)\./)
    expect(await ask({ ...server, url }, 'SELECT * FROM seen, missed')).toHaveLength(1)
    await session.close()
    await connection.close()
    await database.release()
    await ask(server, 'DROP DATABASE cross_check')
  })
})
