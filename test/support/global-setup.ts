import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { messageOf } from '../../src/errors.ts'
import { type RunningServer, startServer } from '../../src/server/server.ts'
import { engines, type ServerId, type Servers } from './at-hand.ts'

const AT_ONCE = 2

/** Starts every server that is at hand, once for each worker. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const wanted = process.env.AFRESH_ENGINES?.split(',').flatMap((id) => id.trim() || [])
  const unknown = wanted?.filter((id) => !engines.some((engine) => engine.id === id)) ?? []
  if (unknown.length > 0) throw new Error(`AFRESH_ENGINES names unknown servers: ${unknown.join(', ')}`)

  const running: RunningServer[] = []
  const servers: Partial<Servers>[] = Array.from({ length: project.vitest.config.maxWorkers }, () => ({}))
  const stop = async () => {
    await Promise.all(running.map((server) => server.stop()))
  }
  const started = async ({ id, spec }: (typeof engines)[number]): Promise<Servers[ServerId]> => {
    if (wanted?.includes(id) === false) return { missing: 'left out by AFRESH_ENGINES' }
    try {
      const server = await startServer(spec)
      running.push(server)
      const { engine, url, containerId } = server
      return { engine, url, ...(containerId === undefined ? {} : { containerId }) }
    } catch (error) {
      return { missing: messageOf(error).split('\n')[0] ?? '' }
    }
  }

  const queue = engines.flatMap((engine) => servers.map((own) => ({ engine, own })))
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      next.own[next.engine.id] = await started(next.engine)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))

  const missing = new Set(
    servers.flatMap((own) =>
      Object.entries(own).flatMap(([id, server]) =>
        'missing' in server ? [`${id} (${server.missing})`] : [],
      ),
    ),
  )
  if (missing.size > 0 && process.env.AFRESH_REQUIRE === 'all') {
    await stop()
    throw new Error(`AFRESH_REQUIRE=all, but these servers are not at hand:\n  ${[...missing].join('\n  ')}`)
  }

  project.provide('servers', servers as Servers[])
  // The server's unprivileged user may enter it.
  const folder = mkdtempSync(join(tmpdir(), 'afresh-pack-'))
  chmodSync(folder, 0o755)
  process.env.AFRESH_TEST_PACK = folder
  return async () => {
    rmSync(folder, { recursive: true, force: true })
    await stop()
    for (const line of missing) process.stdout.write(`not run: ${line}\n`)
  }
}
