import { expect, it } from 'vitest'
import { attach, createHarness, existing } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { describeOn } from '../support/servers.ts'

for (const id of ['mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    it('a MERGE table is refused by name, and its underlying table stays unchanged', () =>
      withDatabaseOn(server, 'afresh_elsewhere', async (elsewhere) => {
        await ask(elsewhere, 'CREATE TABLE part (id int) ENGINE=MyISAM; INSERT INTO part VALUES (1), (2)')
        const refused = { code: 'plan', message: expect.stringMatching(/MERGE tables.*"allparts"/) }
        await expect(
          createHarness({
            server: existing(server.url),
            migrate: async ({ url }) =>
              void (await ask(
                // The account of `url` may not create it.
                { ...server, url: server.url.replace(/\/[^/]*$/, new URL(url).pathname) },
                `CREATE TABLE allparts (id int) ENGINE=MERGE UNION=(afresh_elsewhere.part) INSERT_METHOD=LAST`,
              )),
          }).then((harness) => harness.lease()),
        ).rejects.toMatchObject(refused)
        await ask(elsewhere, 'CREATE TABLE allparts (id int) ENGINE=MERGE UNION=(part)')
        await expect(attach(elsewhere.url)).rejects.toMatchObject(refused)
        expect(await ask(elsewhere, 'SELECT id FROM part')).toEqual([{ id: 1 }, { id: 2 }])
      }))
  })
}
