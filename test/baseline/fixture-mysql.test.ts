import { describe, expect, it } from 'vitest'
import { ask } from '../support/ask.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'
import { onServer } from './fixture-targets.ts'

/** What only MySQL and MariaDB have. */
function ofMysql(server: ServerAtHand): void {
  const target = onServer(server)

  it('writes bits, labels, times with a zone and text that looks like SQL', async () => {
    await using opened = await target.open({
      schema: `CREATE TABLE t (id int PRIMARY KEY, b bit(3), e enum('2', '1', 'x'), s set('a', 'b'), at timestamp(6) NULL, day date,
        bin varbinary(20), txt text)`,
      fixtures: {
        't.yaml': `- { id: 1, b: 5, e: 1, s: "a,b", at: 2024-02-29T23:30:00.125+05:30, day: 2024-02-29, txt: 'a''b\\' }
- { id: 2, b: !!binary Bg==, e: x, s: "", at: 2024-02-29 01:02:03, bin: !!binary AP9c, txt: "'); DROP TABLE t; -- \\u0000" }
`,
        't.csv': 'id,b,e,bin,txt\n3,7,2,\\x00ff,\\x00ff\n',
      },
    })
    expect(
      await opened.rows(
        'SELECT b + 0 AS b, e, s, CAST(at AS CHAR) AS at, HEX(bin) AS bin, txt FROM t ORDER BY id',
      ),
    ).toEqual([
      ['5', '1', 'a,b', expect.any(String), null, "a'b\\"],
      ['6', 'x', '', expect.any(String), '00FF5C', "'); DROP TABLE t; -- \0"],
      ['7', '2', null, null, '00FF', '\\x00ff'],
    ])
    const times = await opened.rows(
      `SELECT CAST(UNIX_TIMESTAMP(at) AS CHAR) AS at FROM t WHERE id < 3 ORDER BY id`,
    )
    expect(times.map(([time]) => Number(time))).toEqual([
      Date.UTC(2024, 1, 29, 18, 0, 0, 125) / 1000,
      Date.UTC(2024, 1, 29, 1, 2, 3) / 1000,
    ])
  })

  it('names line and column of values that do not fit, with and without transactions', async () => {
    for (const storage of ['InnoDB', 'MyISAM']) {
      const opening = target.open({
        schema: `CREATE TABLE t (id int PRIMARY KEY, name varchar(3)) ENGINE = ${storage}`,
        fixtures: { 't.csv': 'id,name\n1,abc\n\n2,"a\n"\n3,abcd\n' },
      })
      await expect(opening, storage).rejects.toThrow(/t\.csv:6, table t, column name: Data too long/)
    }
  })

  it('inserts an id of 0 as 0, and leaves the counter behind the largest', async () => {
    await using opened = await target.open({
      schema: 'CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, x int)',
      fixtures: { 't.csv': 'id,x\n0,1\n9,2\n' },
    })
    await opened.run('INSERT INTO t (x) VALUES (3)')
    expect(await opened.rows('SELECT id FROM t ORDER BY id')).toEqual([['0'], ['9'], ['10']])
  })

  it('fails for a lock that another session holds', async () => {
    await using opened = await target.open({
      schema: 'CREATE TABLE t (id int PRIMARY KEY)',
      more: { 't.csv': 'id\n1\n' },
    })
    const { url } = opened.database
    const blocking = ask({ ...server, url }, 'BEGIN; INSERT INTO t VALUES (1); SELECT SLEEP(8); ROLLBACK')
    const sleeping = `SELECT 1 AS n FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(8)%'`
    await expect.poll(async () => (await ask(server, sleeping)).length).toBeGreaterThan(0)
    await expect(opened.database.load('more')).rejects.toMatchObject({ code: 'blocked' })
    await blocking
  })

  it('says which row is longer than what the server takes', async () => {
    await ask(server, 'SET GLOBAL max_allowed_packet = 1048576')
    try {
      const opening = target.open({
        schema: 'CREATE TABLE t (id int, name longtext)',
        fixtures: { 't.csv': `id,name\n1,short\n2,${'x'.repeat(1_100_000)}\n` },
      })
      await expect(opening).rejects.toThrow(
        /t\.csv:3, table t: the row has \d+ bytes[\s\S]*max_allowed_packet/,
      )
    } finally {
      await ask(server, 'SET GLOBAL max_allowed_packet = DEFAULT')
    }
  })

  it('keeps triggers of migrations from writing to other databases while rows are loaded', async () => {
    await ask(
      server,
      'CREATE DATABASE IF NOT EXISTS fixture_victim; CREATE TABLE IF NOT EXISTS fixture_victim.t (id int)',
    )
    try {
      const opening = target.open({
        schema:
          'CREATE TABLE t (id int); CREATE TRIGGER copy AFTER INSERT ON t FOR EACH ROW INSERT INTO fixture_victim.t VALUES (NEW.id)',
        fixtures: { 't.csv': 'id\n1\n' },
      })
      await expect(opening).rejects.toMatchObject({ code: 'baseline' })
      expect(await ask(server, 'SELECT * FROM fixture_victim.t')).toEqual([])
    } finally {
      await ask(server, 'DROP DATABASE fixture_victim')
    }
  })
}

for (const id of ['mysql:9.7', 'mariadb:11.8', 'mariadb:10.11'] as const) {
  describeOn(id, (server) => describe('rows of files', () => ofMysql(server)))
}
