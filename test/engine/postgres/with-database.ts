import pg from 'pg'
import { afterAll } from 'vitest'
import {
  type AttachOptions,
  createHarness,
  existing,
  type Harness,
  type TestDatabase,
} from '../../../src/index.ts'
import { ask } from '../../support/ask.ts'
import type { ServerAtHand } from '../../support/servers.ts'

/** One harness for all tests of a file with the same options. Each test leases from it. */
const harnesses = new Map<string, Promise<Harness>>()

afterAll(async () => {
  for (const harness of harnesses.values()) await harness.then((made) => made.close())
})

/** Runs `body` with a leased database after its first reset, which always scans, and a separate client. */
export async function withDatabase(
  server: ServerAtHand,
  { schema, ...options }: AttachOptions & { readonly schema: string },
  body: (database: TestDatabase, client: pg.Client) => Promise<void>,
): Promise<void> {
  const key = JSON.stringify([server.url, schema, options])
  const made = harnesses.get(key) ?? harnessOf(server, schema, options)
  harnesses.set(key, made)
  await using database = await (await made).lease()
  await database.reset()
  const client = new pg.Client({ connectionString: database.url })
  client.on('error', () => {})
  await client.connect()
  try {
    await body(database, client)
  } finally {
    await client.end()
  }
}

function harnessOf(server: ServerAtHand, schema: string, options: AttachOptions): Promise<Harness> {
  return createHarness({
    server: existing(server.url),
    migrate: async ({ url }) => void (await ask({ ...server, url }, schema)),
    fingerprint: schema,
    lockTimeoutMs: 500,
    ...options,
  })
}
