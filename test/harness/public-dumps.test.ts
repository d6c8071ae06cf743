import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { engineNamed } from '../../src/engine/registry.ts'
import { fillTables } from '../../src/generate/fill.ts'
import { randomFrom } from '../../src/generate/random.ts'
import { writerFor } from '../../src/generate/writer.ts'
import { createHarness, existing, type MigrateContext } from '../../src/index.ts'
import { drawAll, everything, mess } from '../support/postgres-oracle.ts'
import { describeOn } from '../support/servers.ts'

const FOLDER = 'fixtures/public'
const SEED = 20261121

/** Generates rows for the tables that the dump leaves empty, except every fifth table. */
async function fill({ url }: MigrateContext): Promise<void> {
  const engine = engineNamed('postgres')
  const connection = await engine.connect(url)
  try {
    const writer = await writerFor(engine, connection, randomFrom(SEED))
    const { populated } = await engine.inspectState(connection, writer.schema)
    const left = writer.schema.tables.filter((_, i) => i % 5 === 0).map(({ id }) => id)
    const { rows } = await fillTables(writer, [...populated, ...left])
    expect(rows).toBeGreaterThan(writer.schema.tables.length)
  } finally {
    await connection.close()
  }
}

describeOn('embedded:18', (server) => {
  describe.each(readdirSync(FOLDER))('%s, a public schema', (name) => {
    const dump = readFileSync(join(FOLDER, name, 'dump.sql'), 'utf8')
    const tables = dump.match(/^CREATE TABLE /gm)?.length ?? 0

    it.each([
      ['with constraints off', 'postgres'],
      ['without superuser', 'ordinary'],
    ])('is at its baseline again after any writes, including the next ids: %s', async (_, role) => {
      await using harness = await createHarness({
        server: existing(role === 'postgres' ? server.url : await ordinaryRole(server.url)),
        migrate: join(FOLDER, name, 'dump.sql'),
        fixtures: fill,
      })
      await using database = await harness.lease()
      const client = new pg.Client({
        connectionString: new URL(new URL(database.url).pathname, server.url).toString(),
      })
      await client.connect()
      try {
        const before = await everything(client)
        expect(before.rows.size).toBe(tables)
        const ids = await drawAll(client)
        await database.reset()
        await fc.assert(
          fc.asyncProperty(fc.infiniteStream(fc.nat()), async (numbers) => {
            await mess(client, before, (count) => (numbers.next().value as number) % count)
            await database.reset()
            expect(await everything(client)).toEqual(before)
            expect(await database.verify()).toEqual([])
          }),
          { numRuns: 8, seed: SEED },
        )
        expect(await drawAll(client)).toEqual(ids)
      } finally {
        await client.end()
      }
    })
  })
})

async function ordinaryRole(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(
    `DO $$ BEGIN CREATE ROLE ordinary LOGIN CREATEDB PASSWORD 'pw'; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
  )
  await client.end()
  const other = new URL(url)
  other.username = 'ordinary'
  other.password = 'pw'
  return other.toString()
}
