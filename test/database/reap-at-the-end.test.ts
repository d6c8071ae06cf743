import { expect, it } from 'vitest'
import { makeDatabase } from '../../src/database/lease.ts'
import { namesFor, newRunId } from '../../src/database/names.ts'
import { runKey } from '../../src/database/reaper.ts'
import { open } from '../../src/engine/registry.ts'
import { createHarness, existing } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeOn, type ServerId } from '../support/servers.ts'

const SERVERS: readonly ServerId[] = ['embedded:18', 'mysql:9.7', 'mariadb:11.8']

for (const id of SERVERS) {
  describeOn(id, (server) => {
    it('a run drops at its end what a killed one left, whose session the server had not ended before', async () => {
      const migrate = async ({ url }: { url: string }) =>
        void (await ask({ ...server, url }, 'CREATE TABLE t (id int PRIMARY KEY)'))
      const harness = await createHarness({ server: existing(server.url), project: 'ending', migrate })
      const { engine, connection } = await open(server.url)
      const { databases } = engine
      if (databases === undefined) throw new Error('no server')
      const killed = newRunId()
      const name = namesFor('ending', databases.maxNameBytes).database(killed, 1)
      await databases.tryLock(connection, runKey(killed))
      const source = { engine, databases, adminUrl: server.url, template: harness.handle.template }
      const left = await makeDatabase(source, connection, name)
      await left.connection.close()

      const next = await createHarness({ server: existing(server.url), project: 'ending', migrate })
      const names = async () => (await databases.list(connection)).map((entry) => entry.name)
      expect(await names()).toContain(name)
      await databases.unlock(connection, runKey(killed))
      await next.close()
      expect(await names()).not.toContain(name)
      await connection.close()
      await harness.close()
    })
  })
}
