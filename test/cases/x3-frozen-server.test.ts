import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { container, createHarness } from '../../src/index.ts'
import { startServer } from '../../src/server/server.ts'
import { describeOn } from '../support/servers.ts'

const WAYS = { 'postgres:18': 'container', 'mysql:9.7': 'container' } as const

for (const id of Object.keys(WAYS) as (keyof typeof WAYS)[]) {
  describeOn(id, () => {
    it('a reset on a frozen server fails with an error that says so, and the next one recovers', async () => {
      const server = await startServer(container(id))
      try {
        await using harness = await createHarness({
          server: server.url,
          migrate: async ({ url }) => {
            const { ask } = await import('../support/ask.ts')
            await ask({ engine: server.engine, url }, 'CREATE TABLE a (id int PRIMARY KEY)')
          },
        })
        await using database = await harness.lease()
        await database.reset()
        const docker = (verb: string) => execFileSync('docker', [verb, server.containerId ?? ''])
        docker('pause')
        try {
          await Promise.all([
            expect(database.reset()).rejects.toThrow(
              /has not answered a new connection for 10 s, while a reset was under way/,
            ),
            expect(harness.lease()).rejects.toThrow(/no answer within 10000 ms/),
          ])
        } finally {
          docker('unpause')
        }
        await expect.poll(() => database.reset().then(() => 'done', String), { timeout: 60_000 }).toBe('done')
      } finally {
        await server.stop()
      }
    })
  })
}
