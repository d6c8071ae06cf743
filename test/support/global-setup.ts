import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { messageOf } from '../../src/errors.ts'
import type { RunningServer } from '../../src/server/server.ts'
import { checkNames, leftOut, remedy } from './left-out.ts'
import { allServers, type ServerId, type Servers } from './servers.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { VARIANT_IDS } from './variant-server.ts'

const AT_ONCE = 2

/** Starts every server that is not left out, once per worker. Throws if one does not start. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  checkNames([...allServers.map(({ id }) => id), ...VARIANT_IDS])

  const running: RunningServer[] = []
  const servers: Partial<Servers>[] = Array.from({ length: project.config.maxWorkers }, () => ({}))
  const stop = async () => {
    await Promise.all(running.map((server) => server.stop()))
  }
  const started = async ({ id, start }: (typeof allServers)[number]): Promise<Servers[ServerId]> => {
    const reason = leftOut(id)
    if (reason !== undefined) return { missing: reason }
    try {
      const server = await start()
      running.push(server)
      const { engine, url, containerId } = server
      return { engine, url, ...(containerId === undefined ? {} : { containerId }) }
    } catch (error) {
      return { missing: messageOf(error).split('\n')[0] ?? '' }
    }
  }

  const queue = allServers.flatMap((engine) => servers.map((own) => ({ engine, own })))
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      next.own[next.engine.id] = await started(next.engine)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))

  const missing = new Map<string, string>()
  for (const own of servers) {
    for (const [id, server] of Object.entries(own)) if ('missing' in server) missing.set(id, server.missing)
  }
  const unexpected = [...missing].filter(([id]) => leftOut(id) === undefined)
  if (unexpected.length > 0) {
    await stop()
    const lines = unexpected.map(([id, reason]) => `${id}: ${reason}\n    → ${remedy(id)}`)
    throw new Error(
      `These servers are missing:\n  ${lines.join('\n  ')}\n` +
        'AFRESH_SKIP takes several, with commas between them; `npm run test:unit` needs none.',
    )
  }

  project.provide('servers', servers as Servers[])
  // The server's unprivileged user can enter the folder.
  const folder = mkdtempSync(join(temporaryFolder(), 'afresh-pack-'))
  chmodSync(folder, 0o755)
  process.env.AFRESH_TEST_PACK = folder
  return async () => {
    rmSync(folder, { recursive: true, force: true })
    await stop()
    for (const [id, reason] of missing) process.stdout.write(`not run: ${id} (${reason})\n`)
  }
}
