import { expect, it } from 'vitest'
import { createHarness } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeOn } from '../support/servers.ts'

const MEBIBYTE = 2 ** 20

describeOn('embedded:18', () => {
  it('the journal of the embedded server stays small, whatever is written (X4)', async () => {
    await using harness = await createHarness({
      server: 'embedded',
      migrate: async ({ url }) => void (await ask({ engine: 'postgres', url }, 'CREATE TABLE t (id int)')),
    })
    await using database = await harness.lease()
    const run = (sql: string) => ask({ engine: 'postgres', url: database.url }, sql)
    const bytesOf = async (sql: string) => Number((await run(sql))[0]?.bytes)
    const written = () => bytesOf(`SELECT pg_current_wal_insert_lsn() - '0/0' AS bytes`)
    const kept = () => bytesOf('SELECT sum(size) AS bytes FROM pg_ls_waldir()')

    const before = await written()
    while ((await written()) - before < 1024 * MEBIBYTE) {
      // Each message fills a segment of the journal.
      await run(`INSERT INTO t VALUES (1); SELECT pg_switch_wal()`)
      await database.reset()
    }
    // A checkpoint, which the server begins by itself, removes the old segments.
    await expect.poll(async () => (await kept()) / MEBIBYTE, { timeout: 60_000 }).toBeLessThan(320)
    expect(await database.verify()).toEqual([])
  })
})
