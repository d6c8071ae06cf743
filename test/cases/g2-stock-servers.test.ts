import { describe, expect, it } from 'vitest'
import { createHarness, existing } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeOn, type ServerAtHand, stockServers } from '../support/servers.ts'

const SCHEMA = `CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, n int); INSERT INTO t (n) VALUES (1), (2);
  CREATE TABLE children (id int AUTO_INCREMENT PRIMARY KEY, t int, FOREIGN KEY (t) REFERENCES t (id) ON DELETE CASCADE);
  INSERT INTO children (t) VALUES (1), (2)`
const OTHER_ENGINES = `CREATE TABLE isam (id int AUTO_INCREMENT PRIMARY KEY, n int) ENGINE=MyISAM; INSERT INTO isam (n) VALUES (1), (2);
  CREATE TABLE memory (id int PRIMARY KEY, n int) ENGINE=MEMORY; INSERT INTO memory VALUES (1, 1), (2, 2)`

async function atBaselineAfterEach(
  server: ServerAtHand,
  options: { schema: string; strategy?: 'delete' | 'truncate'; detector?: 'scan' },
  writes: readonly string[],
): Promise<void> {
  const { schema, ...rest } = options
  const migrate = async ({ url }: { url: string }) => {
    await ask({ ...server, url }, schema)
  }
  await using harness = await createHarness({ server: existing(server.url), migrate, ...rest })
  await using database = await harness.lease()
  for (const sql of writes) {
    await ask({ ...server, url: database.url }, sql)
    expect((await database.reset()).dirty).not.toEqual([])
    expect(await database.verify()).toEqual([])
    expect((await database.reset()).dirty).toEqual([])
  }
}

for (const { id } of stockServers) {
  describeOn(id, (server) => {
    describe('a server with its own settings', () => {
      it('has its binary log enabled, and is durable', async () => {
        const gtid =
          server.engine === 'mysql' ? ', @@gtid_mode AS gtid, @@enforce_gtid_consistency AS enforced' : ''
        const [row] = await ask(
          server,
          `SELECT @@log_bin AS log, @@sync_binlog AS sync, @@innodb_flush_log_at_trx_commit AS flush${gtid}`,
        )
        expect(row).toEqual({
          ...{ log: 1, sync: 1, flush: 1 },
          ...(server.engine === 'mysql' ? { gtid: 'ON', enforced: 'ON' } : {}),
        })
      })

      it.each([undefined, 'delete', 'truncate'] as const)(
        'restores changed rows with strategy %s',
        (strategy) =>
          atBaselineAfterEach(server, { schema: SCHEMA, ...(strategy && { strategy }) }, [
            'INSERT INTO t (n) VALUES (3)',
            'UPDATE t SET n = 7; DELETE FROM children WHERE id = 1',
            'DELETE FROM t',
            'INSERT INTO children (t) SELECT 1 FROM information_schema.columns LIMIT 900',
          ]),
      )

      it('restores rows when a test also wrote tables without transactions', () =>
        atBaselineAfterEach(server, { schema: `${SCHEMA}; ${OTHER_ENGINES}` }, [
          'INSERT INTO t (n) VALUES (3); INSERT INTO isam (n) VALUES (3); INSERT INTO memory VALUES (3, 3)',
          'UPDATE t SET n = 7; DELETE FROM isam; UPDATE memory SET n = 7',
          'DELETE FROM memory; DELETE FROM t',
        ]))
    })
  })
}
