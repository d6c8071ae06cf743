/**
 * The servers for the tests. `global-setup.ts` starts each of them once per worker; a test gets its URL:
 *
 *     describeOn('postgres:18', (server) => { it('…', async () => { await ask(server, 'SELECT 1') }) })
 *
 * A server that does not start fails the run, unless `AFRESH_SKIP` or `AFRESH_ENGINES` leaves it out: see
 * `left-out.ts`.
 */
import { afterAll, beforeAll, describe, expect, inject } from 'vitest'
import { type RunningServer, startServer } from '../../src/server/server.ts'
import { container, embedded, type ServerEngine } from '../../src/server/spec.ts'
import { STOCK, type StockId, startStock } from './stock-server.ts'

export type ServerId = (typeof IDS)[number] | StockId

const IDS = [
  'embedded:18',
  'postgres:18',
  'postgres:17',
  'postgres:15',
  'mysql:9.7',
  'mariadb:11.8',
  'mariadb:10.11',
] as const

interface ServerEntry {
  readonly id: ServerId
  start(): Promise<RunningServer>
}

export const engines: readonly ServerEntry[] = IDS.map((id) => ({
  id,
  start: () => startServer(id.startsWith('embedded:') ? embedded() : container(id)),
}))

/** One server for each engine, and the oldest PostgreSQL: for what does not depend on versions. */
const ONE_OF_EACH: readonly ServerId[] = ['embedded:18', 'postgres:15', 'mysql:9.7', 'mariadb:11.8']
export const oneOfEach: readonly ServerEntry[] = engines.filter(({ id }) => ONE_OF_EACH.includes(id))

/** Servers with the settings of their image, as users have them. */
export const stockServers: readonly ServerEntry[] = (Object.keys(STOCK) as StockId[]).map((id) => ({
  id,
  start: () => startStock(id),
}))

export const allServers: readonly ServerEntry[] = [...engines, ...stockServers]

export type ServerAtHand = { engine: ServerEngine; url: string; containerId?: string }
export type Servers = Record<ServerId, ServerAtHand | { missing: string }>

declare module 'vitest' {
  interface ProvidedContext {
    /** One set per worker, since some tests inspect everything on a server. */
    servers: readonly Servers[]
  }
}

/** The running server, or the reason why there is none. Only within tests. */
export function serverAtHand(id: ServerId): ServerAtHand | { missing: string } {
  const own = inject('servers')[Number(process.env.VITEST_POOL_ID) - 1]
  if (own === undefined) throw new Error(`there are no servers for worker ${process.env.VITEST_POOL_ID}`)
  return own[id]
}

/** Declares tests on one server. They are skipped by name, with the reason, if the server is missing. */
export function describeOn(id: ServerId, body: (server: ServerAtHand) => void): void {
  const server = serverAtHand(id)
  if ('missing' in server)
    describe.skip(`NOT RUN: ${id} (${server.missing})`, () => body({ engine: 'postgres', url: '' }))
  else
    describe(id, () => {
      if (isCrossChecked(id)) withCrossCheck()
      body(server)
    })
}

/** The tests that write whatever there is. */
const CROSS_CHECKED =
  /\/test\/(contract\/servers|engine|reset|harness\/(lease|ddl|open-resources|public-dumps|snapshots)|cases\/(p3|p4|p11|p12|m2-changed|m9|m10)-)/

/** With AFRESH_CROSS_CHECK=some: one server for each way to detect. The others run as users have them. */
function isCrossChecked(id: ServerId): boolean {
  const { testPath = '' } = expect.getState()
  return process.env.AFRESH_CROSS_CHECK === 'some' && ONE_OF_EACH.includes(id) && CROSS_CHECKED.test(testPath)
}

/** Compares the detector of every reset with a scan. */
function withCrossCheck(): void {
  beforeAll(() => {
    process.env.AFRESH_CROSS_CHECK = '1'
  })
  afterAll(() => {
    process.env.AFRESH_CROSS_CHECK = 'some'
  })
}
