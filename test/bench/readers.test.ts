import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { whileReading } from '../../src/bench/readers.ts'
import { open } from '../../src/engine/registry.ts'
import { describeOn } from '../support/servers.ts'

for (const id of ['embedded:18', 'mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    it('measures how long a reader waited', async () => {
      const { connection } = await open(server.url)
      const { ms, waitsMs } = await whileReading([connection], 'SELECT 1', async () => {
        await sleep(30)
        return 7
      })
      expect(ms).toBe(7)
      expect(waitsMs.length).toBeGreaterThan(0)
      expect(waitsMs.every((waitMs) => waitMs > 0)).toBe(true)
      await connection.close()
      expect(await whileReading([], 'SELECT 1', async () => 7)).toEqual({ ms: 7, waitsMs: [] })
    })

    it('continues when a reader has lost its connection', async () => {
      const { connection } = await open(server.url)
      await connection.close()
      const worked = whileReading([connection], 'SELECT 1', async () => {
        await sleep(30)
        return 7
      })
      await expect(worked).resolves.toMatchObject({ ms: 7 })
    })
  })
}
