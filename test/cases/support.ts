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

/** Ways to use a PostgreSQL server. Resets differ between them. */
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

/** Runs `body` with a leased database of this schema; each statement of `run` has its own connection. */
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

/** Runs `body` with an attached database that a user adopted. */
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

/** Confirms as a user does who types the confirmation. */
export async function adoptHere(url: string): Promise<void> {
  await adopt(url, { confirm: async ({ confirmation }) => confirmation })
}
