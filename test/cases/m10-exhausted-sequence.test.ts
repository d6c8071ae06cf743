import { expect, it } from 'vitest'
import { createHarness, existing } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeOn } from '../support/servers.ts'

describeOn('mariadb:11.8', (server) => {
  it('a sequence without a value left may be part of the baseline, and stays so', async () => {
    await using harness = await createHarness({
      server: existing(server.url),
      migrate: async ({ url }) =>
        void (await ask(
          { ...server, url },
          'CREATE SEQUENCE s MAXVALUE 2; CREATE TABLE t (id int); SELECT NEXTVAL(s), NEXTVAL(s)',
        )),
    })
    await using database = await harness.lease()
    const here = { ...server, url: database.url }
    await expect(ask(here, 'SELECT NEXTVAL(s)')).rejects.toThrow(/has run out/)
    await ask(here, 'ALTER SEQUENCE s RESTART WITH 1; INSERT INTO t VALUES (1)')
    await database.reset()
    await expect(ask(here, 'SELECT NEXTVAL(s)')).rejects.toThrow(/has run out/)
    expect(await database.verify()).toEqual([])
  })
})
