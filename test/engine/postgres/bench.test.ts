import { expect, it } from 'vitest'
import { open } from '../../../src/engine/registry.ts'
import { describeOn } from '../../support/servers.ts'
import { withDatabase } from './with-database.ts'

const schema = `CREATE TABLE here (id int); CREATE SCHEMA "elsewhere too"; CREATE TABLE "elsewhere too".there (id int)`

describeOn('embedded:18', (server) => {
  it('the size of a database includes the tables of all its schemas, and no system tables', () =>
    withDatabase(server, { schema }, async (database, client) => {
      const { engine, connection } = await open(database.url)
      try {
        const before = await engine.bench.bytes(connection)
        expect(before).toBeLessThan(200_000)
        for (const table of ['here', '"elsewhere too".there']) {
          const empty = await engine.bench.bytes(connection)
          await client.query(`INSERT INTO ${table} SELECT generate_series(1, 10000)`)
          const [{ size } = { size: 0 }] = (
            await client.query<{ size: string }>(`SELECT pg_total_relation_size('${table}') AS size`)
          ).rows
          expect(await engine.bench.bytes(connection)).toBe(empty + Number(size))
        }
      } finally {
        await connection.close()
      }
    }))
})
