import pg from 'pg'
import { type AttachOptions, createHarness, existing, type TestDatabase } from '../../../src/index.ts'
import { ask } from '../../support/ask.ts'
import type { ServerAtHand } from '../../support/at-hand.ts'

/** A leased database after its first reset, which always looks at everything, and a client of the test's own. */
export async function withDatabase(
  server: ServerAtHand,
  { schema, ...options }: AttachOptions & { readonly schema: string },
  body: (database: TestDatabase, client: pg.Client) => Promise<void>,
): Promise<void> {
  const migrate = async ({ url }: { url: string }) => {
    await ask({ ...server, url }, schema)
  }
  await using harness = await createHarness({
    server: existing(server.url),
    migrate,
    fingerprint: schema,
    lockTimeoutMs: 500,
    ...options,
  })
  await using database = await harness.lease()
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
