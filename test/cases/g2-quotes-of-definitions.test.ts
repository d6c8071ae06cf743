import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createHarness, existing } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeOn } from '../support/servers.ts'

const SCRIPT = `CREATE TABLE t (id int); CREATE TABLE log (id int);
  CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW INSERT INTO log VALUES (NEW.id);
  CREATE PROCEDURE p() INSERT INTO t VALUES (1);
  CREATE VIEW v AS SELECT * FROM t;`

describeOn('mariadb:11.8', (server) => {
  it.each(['a file', 'a function'])(
    'by a server without sql_quote_show_create, programs of %s have a definer that exists',
    async (kind) => {
      const folder = mkdtempSync(join(tmpdir(), 'afresh-g2-'))
      await ask(server, 'SET GLOBAL sql_quote_show_create = 0')
      try {
        writeFileSync(join(folder, 'schema.sql'), SCRIPT)
        const byUrl = async ({ url }: { url: string }) => void (await ask({ ...server, url }, SCRIPT))
        await using harness = await createHarness({
          server: existing(server.url),
          migrate: kind === 'a file' ? 'schema.sql' : byUrl,
          cwd: folder,
        })
        await using database = await harness.lease()
        const here = { ...server, url: database.url }
        const shown = () => ask(here, 'SHOW CREATE TRIGGER tr')
        const before = await shown()
        await ask(here, 'INSERT INTO t VALUES (5); CALL p(); SELECT * FROM v')
        await database.reset()
        expect(await ask(here, 'SELECT (SELECT COUNT(*) FROM t) + (SELECT COUNT(*) FROM log) AS n')).toEqual([
          { n: 0 },
        ])
        expect((await shown())[0]?.['SQL Original Statement']).toBe(before[0]?.['SQL Original Statement'])
      } finally {
        await ask(server, 'SET GLOBAL sql_quote_show_create = 1')
        rmSync(folder, { recursive: true })
      }
    },
  )
})
