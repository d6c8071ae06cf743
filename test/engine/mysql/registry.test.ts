import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect } from '../../../src/engine/mysql/connection.ts'
import { NO_DATABASE, NO_TABLE } from '../../../src/engine/mysql/errno.ts'
import { createRegistry, REGISTRY, writeRegisteredMark } from '../../../src/engine/mysql/ownership.ts'
import { errnoOf } from '../../../src/engine/mysql/session.ts'
import type { RunningServer } from '../../../src/server/running-server.ts'
import { describeOn } from '../../support/servers.ts'
import { startStock } from '../../support/stock-server.ts'

const WRITERS = 4
const MILLISECONDS = 3_000

describeOn('mysql:9.7-stock', () => {
  /** Of this test alone: other tests need the registry of a shared server. */
  let server: RunningServer
  beforeAll(async () => {
    server = await startStock('mysql:9.7-stock')
  })
  afterAll(() => server.stop())

  it('is created by several sessions at one time, whom the server lets run into deadlocks', async () => {
    const until = performance.now() + MILLISECONDS
    let written = 0
    const inSession = async (run: (session: Awaited<ReturnType<typeof connect>>) => Promise<unknown>) => {
      const session = await connect(server.url)
      try {
        while (performance.now() < until) await run(session)
      } finally {
        await session.close()
      }
    }
    const writers = Array.from({ length: WRITERS }, (_, index) =>
      inSession(async (session) => {
        try {
          await createRegistry(session)
          await writeRegisteredMark(session, `afresh_${index}`, 'a mark')
          written += 1
        } catch (error) {
          // Dropped between two statements, which happens in this test only.
          const errno = errnoOf(error) ?? errnoOf((error as Error).cause)
          if (errno !== NO_DATABASE && errno !== NO_TABLE) throw error
        }
      }),
    )
    const dropper = inSession((session) =>
      session.query(`DROP DATABASE IF EXISTS ${REGISTRY}; DO SLEEP(0.01)`),
    )
    await Promise.all([...writers, dropper])
    expect(written).toBeGreaterThan(0)
  })
})
