import { afterAll, describe } from 'vitest'
import { messageOf } from '../../src/errors.ts'
import type { RunningServer } from '../../src/server/running-server.ts'
import { startServer } from '../../src/server/server.ts'
import { container } from '../../src/server/spec.ts'
import { leftOut, remedy } from './left-out.ts'
import { startOwnContainer } from './own-container.ts'
import { extensionImage } from './postgres-extensions.ts'
import type { ServerAtHand } from './servers.ts'

const LOWERCASE = [
  '--lower-case-table-names=1',
  '--autocommit=0',
  '--sql-mode=',
  '--performance-schema=ON',
  '--skip-log-bin',
]

/**
 * Servers with settings that require a separate start. The only file that uses such a server starts it for
 * the duration of its tests. `AFRESH_ENGINES` and `AFRESH_SKIP` apply to these servers too.
 */
const VARIANTS = {
  'postgres:18-extensions': async () =>
    startOwnContainer('postgres:18-extensions', {
      engine: 'postgres',
      image: await extensionImage(),
      command: [
        ...['-c', 'shared_preload_libraries=timescaledb,pg_cron', '-c', 'timescaledb.telemetry_level=off'],
        ...['-c', 'fsync=off', '-c', 'cron.database_name=cron_home'],
      ],
    }),
  'mysql:9.7-lowercase': () =>
    startOwnContainer('mysql:9.7-lowercase', {
      engine: 'mysql',
      image: 'mysql:9.7',
      command: LOWERCASE,
    }),
  'mariadb:11.8-lowercase': () =>
    startOwnContainer('mariadb:11.8-lowercase', {
      engine: 'mariadb',
      image: 'mariadb:11.8',
      command: LOWERCASE,
    }),
  // Its test switches a setting that decides how all others detect.
  'mariadb:11.8-switched': () => startServer(container('mariadb:11.8')),
  // Has no userstat, like servers of others.
  'mariadb:11.8-counted': () =>
    startOwnContainer('mariadb:11.8-counted', {
      engine: 'mariadb',
      image: 'mariadb:11.8',
      command: ['--performance-schema=ON'],
    }),
} as const satisfies Record<string, () => Promise<RunningServer>>

export type VariantId = keyof typeof VARIANTS

export const VARIANT_IDS = Object.keys(VARIANTS) as VariantId[]

/**
 * Declares tests on a server that is started for them. They are skipped by name where it is left out. Call it
 * at the top level of a file, and await it.
 */
export async function describeVariant(id: VariantId, body: (server: ServerAtHand) => void): Promise<void> {
  const server = await started(id)
  if ('missing' in server) {
    process.stdout.write(`not run: ${id} (${server.missing})\n`)
    describe.skip(`NOT RUN: ${id} (${server.missing})`, () => body({ engine: 'postgres', url: '' }))
    return
  }
  describe(id, () => {
    afterAll(() => server.stop())
    const { engine, url, containerId } = server
    body({ engine, url, ...(containerId === undefined ? {} : { containerId }) })
  })
}

async function started(id: VariantId): Promise<RunningServer | { missing: string }> {
  const reason = leftOut(id)
  if (reason !== undefined) return { missing: reason }
  try {
    return await VARIANTS[id]()
  } catch (cause) {
    throw new Error(`${id} is missing: ${messageOf(cause)}\n  → ${remedy(id)}`, { cause })
  }
}
