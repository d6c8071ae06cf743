import { chmodSync, lstatSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getContainerRuntimeClient } from 'testcontainers'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { keptPassword } from '../../src/server/secret.ts'
import { container, startServer } from '../../src/server/server.ts'
import { isOwnAddress } from '../../src/util/this-machine.ts'
import { ask } from '../support/ask.ts'
import { describeOn } from '../support/servers.ts'

let cache: string
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'afresh-g9-'))
  vi.stubEnv('AFRESH_CACHE_DIR', cache)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(cache, { recursive: true, force: true })
})

const areOfThisMachine = (addresses: string[]) => addresses.length > 0 && addresses.every(isOwnAddress)

/** The addresses that a container's ports are published on. */
async function addressesOf(id: string | undefined): Promise<string[]> {
  const { container: engine } = await getContainerRuntimeClient()
  const { NetworkSettings } = await engine.dockerode.getContainer(`${id}`).inspect()
  return Object.values(NetworkSettings.Ports).flatMap((ports) => (ports ?? []).map(({ HostIp }) => HostIp))
}

for (const [id, image] of [
  ['postgres:18', 'postgres:18'],
  ['mysql:9.7', 'mysql:9.7'],
  ['mariadb:11.8', 'mariadb:11.8'],
] as const) {
  describeOn(id, () => {
    it('publishes its port on addresses of this machine only', async () => {
      await using server = await startServer(container(image))
      expect(await addressesOf(server.containerId)).toSatisfy(areOfThisMachine)
      expect(await ask(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    })
  })
}

describeOn('postgres:18', () => {
  it('a reused container has a password from a private file, and is found again by it', async () => {
    const spec = container('postgres:18', { reuse: true })
    const first = await startServer(spec)
    const { container: engine } = await getContainerRuntimeClient()
    try {
      const { password } = new URL(first.url)
      expect(password).toMatch(/^[0-9a-f]{30}$/)
      expect(password).toBe(keptPassword('container-password'))
      expect(lstatSync(join(cache, 'container-password')).mode & 0o777).toBe(0o600)
      expect(await addressesOf(first.containerId)).toSatisfy(areOfThisMachine)
      const again = await startServer(spec)
      expect(again.containerId).toBe(first.containerId)
      expect(await ask(again, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    } finally {
      await engine.dockerode.getContainer(`${first.containerId}`).remove({ force: true, v: true })
    }
  })
})

it('a password file that other users can read is refused', () => {
  keptPassword('some-password')
  chmodSync(join(cache, 'some-password'), 0o644)
  expect(() => keptPassword('some-password')).toThrow(/is not private to you \(mode 644\)/)
})
