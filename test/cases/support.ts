import { createHash } from 'node:crypto'
import {
  type AttachOptions,
  adopt,
  attach,
  createHarness,
  existing,
  type TestDatabase,
} from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { asPlainRole } from '../support/plain-role.ts'
import type { ServerAtHand } from '../support/servers.ts'

export type Run = (sql: string) => Promise<Record<string, unknown>[]>

/** How a PostgreSQL server is used: what resets go by differs between them. */
export const POSTGRES_WAYS = ['superuser', 'superuser, by a scan', 'plain role'] as const
export type PostgresWay = (typeof POSTGRES_WAYS)[number]

export async function inWay(
  server: ServerAtHand,
  way: PostgresWay,
): Promise<{ readonly server: ServerAtHand; readonly options: AttachOptions }> {
  return {
    server: way === 'plain role' ? await asPlainRole(server) : server,
    options: way === 'superuser, by a scan' ? { detector: 'scan' } : {},
  }
}

/** A leased database with this schema; each statement runs on a connection of its own. */
export async function withLease(
  server: ServerAtHand,
  schema: string,
  options: AttachOptions,
  body: (database: TestDatabase, run: Run) => Promise<void>,
): Promise<void> {
  await using harness = await createHarness({
    ...options,
    server: existing(server.url),
    migrate: async ({ url }) => void (await ask({ ...server, url }, schema)),
    fingerprint: createHash('sha256').update(schema).digest('hex'),
  })
  await using database = await harness.lease()
  await body(database, (sql) => ask({ ...server, url: database.url }, sql))
}

/** A database of a person's that was handed over, attached. */
export async function withAttached(
  server: ServerAtHand,
  schema: string,
  options: AttachOptions,
  body: (database: TestDatabase, run: Run) => Promise<void>,
  adopt: (url: string) => Promise<void>,
): Promise<void> {
  await withDatabaseOn(server, `cases_${process.env.VITEST_POOL_ID}`, async (serverAtHand) => {
    await ask(serverAtHand, schema)
    await adopt(serverAtHand.url)
    await using database = await attach(serverAtHand.url, options)
    await body(database, (sql) => ask(serverAtHand, sql))
  })
}

/** As a person does who types what is asked for. */
export async function adoptHere(url: string): Promise<void> {
  await adopt(url, { confirm: async ({ confirmation }) => confirmation })
}
