import fc from 'fast-check'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { createHarness, existing, type HarnessOptions, type TestDatabase } from '../../../src/index.ts'
import { drawAll, everything, mess } from '../../support/postgres-oracle.ts'
import { describeOn, type ServerAtHand, type ServerId } from '../../support/servers.ts'

const FILES: Partial<Record<ServerId, readonly string[]>> = {
  'embedded:18': ['postgres', 'postgres-18', 'postgres-always', 'postgres-publication'],
  'postgres:18': [
    'postgres',
    'postgres-18',
    'postgres-always',
    'postgres-publication',
    'postgres-unrestorable',
  ],
  'postgres:17': ['postgres', 'postgres-always', 'postgres-publication'],
  'postgres:15': ['postgres', 'postgres-always', 'postgres-publication'],
}

/** Writes that are specific to this schema. */
const ALSO = [
  'REFRESH MATERIALIZED VIEW parent_count',
  `INSERT INTO attachment (content) VALUES (lo_from_bytea(0, 'text'))`,
]

for (const [id, files] of Object.entries(FILES)) {
  describeOn(id as ServerId, (server) => {
    describe('the nasty schema', () => {
      it('has its rows, sequences and catalog reset after any writes', () =>
        withDatabase(server, files, {}, async (database, client) => {
          const before = await everything(client)
          expect(before.rows.size).toBeGreaterThan(90)
          const detectors = new Set<string>()
          await fc.assert(
            fc.asyncProperty(fc.infiniteStream(fc.nat()), async (numbers) => {
              const pick = (count: number) => (numbers.next().value as number) % count
              await mess(client, before, pick, ALSO)
              const report = await database.reset()
              expect(await everything(client)).toEqual(before)
              expect(await database.verify()).toEqual([])
              expect((await database.reset()).dirty).toEqual([])
              detectors.add(report.detector)
            }),
            { numRuns: 20 },
          )
          // 15 has no pg_get_wal_block_info.
          expect(detectors).toEqual(new Set(id === 'postgres:15' ? ['scan'] : ['wal', 'scan']))
        }))

      it('gives out the same numbers after a reset', () =>
        withDatabase(server, files, {}, async (database, client) => {
          const first = await drawAll(client)
          await database.reset()
          expect(await drawAll(client)).toEqual(first)
          await database.reset()
          expect(await drawAll(client)).toEqual(first)
        }))

      it.runIf(id.startsWith('postgres:'))(
        'restores XML as it reads, without the declaration of a document',
        () =>
          withDatabase(server, ['postgres-xml'], {}, async (database, client) => {
            const read = async () => (await client.query('SELECT document FROM documents ORDER BY id')).rows
            const before = await read()
            await client.query('UPDATE documents SET document = NULL')
            await database.reset()
            expect(await read()).toEqual(before)
          }),
      )

      it('leaves kept tables alone', () =>
        withDatabase(server, files, { keep: ['trigger_log', 'no_*'] }, async (database, client) => {
          await client.query(
            `INSERT INTO trigger_log (entry) VALUES ('kept'); INSERT INTO no_key VALUES (99, 'kept')`,
          )
          expect((await database.reset()).dirty).toEqual([])
          expect((await client.query('SELECT FROM no_key WHERE a = 99')).rowCount).toBe(1)
        }))
    })
  })
}

async function withDatabase(
  server: ServerAtHand,
  files: readonly string[],
  options: HarnessOptions,
  body: (database: TestDatabase, client: pg.Client) => Promise<void>,
): Promise<void> {
  await using harness = await createHarness({
    ...options,
    server: existing(server.url),
    migrate: files.map((file) => `fixtures/nasty/${file}.sql`),
  })
  await using database = await harness.lease()
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  try {
    await body(database, client)
  } finally {
    await client.end()
  }
}
