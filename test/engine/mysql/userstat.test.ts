import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Connection } from '../../../src/engine/connection.ts'
import { eventually } from '../../support/eventually.ts'
import { describeOn, type ServerAtHand } from '../../support/servers.ts'
import { describeVariant } from '../../support/variant-server.ts'
import { Bench } from './support.ts'
import { FAMILY, watched } from './watched.ts'

const ODD = `CREATE TABLE hashed (id INT AUTO_INCREMENT PRIMARY KEY, t TEXT, UNIQUE (t)); INSERT INTO hashed (t) VALUES ('a');
  CREATE TABLE parted (id INT AUTO_INCREMENT, v INT, KEY (id)) PARTITION BY RANGE (v) (PARTITION p0 VALUES LESS THAN (10));
  INSERT INTO plain (v) VALUES (1);`

const tests = (server: ServerAtHand) => {
  let bench: Bench
  beforeAll(async () => {
    bench = await Bench.on(server)
  })
  afterAll(() => bench.close())

  const failing = [
    ['INSERT INTO plain (v) VALUES (1)', 1062],
    ['INSERT IGNORE INTO plain (v) VALUES (1)', 0],
    ['INSERT INTO plain (v) VALUES (1) ON DUPLICATE KEY UPDATE v = 1', 0],
    ['INSERT INTO pointing (top) VALUES (99)', 1452],
    ["INSERT IGNORE INTO hashed (t) VALUES ('a')", 0],
    ["INSERT INTO hashed (t) VALUES ('a')", 1062],
  ] as const

  const POINTING = 'CREATE TABLE pointing (id INT AUTO_INCREMENT PRIMARY KEY, top INT REFERENCES top (id));'

  it.each(failing)('finds the counter that %s has moved', async (sql, errno) => {
    const { resetter, writer } = await watched(bench, `${FAMILY} ${ODD} ${POINTING}`)
    const table = /INTO (\w+)/.exec(sql)?.[1]
    const code = await writer.query(sql).then(
      () => 0,
      (error: { errno: number }) => error.errno,
    )
    expect(code).toBe(errno)
    expect(await resetter.detect('scan')).toEqual([`auto_increment \`${table}\``])
    expect(await resetter.detect('counters')).toEqual([`auto_increment \`${table}\``])
    expect(await resetter.reset()).toMatchObject({
      detector: 'counters',
      dirty: [`auto_increment \`${table}\``],
    })
    expect(await resetter.detect('scan')).toEqual([])
    expect(await resetter.reset()).toMatchObject({ detector: 'counters', dirty: [] })
    await resetter.close()
  })

  it('finds the counter that an INSERT has moved that waited in vain, or was a deadlock', async () => {
    const { name, resetter, writer } = await watched(bench, `${FAMILY} ${ODD}`)
    const other = await bench.connect(name)
    await other.query('START TRANSACTION; UPDATE plain SET v = 2 WHERE id = 1')
    await expect(
      writer.query('SET innodb_lock_wait_timeout = 1; INSERT INTO plain (v) VALUES (2)'),
    ).rejects.toMatchObject({ errno: 1205 })
    await other.query('ROLLBACK')
    await resetter.reset()
    expect(await resetter.detect('scan')).toEqual([])
    await writer.query('SET innodb_lock_wait_timeout = 20; START TRANSACTION; UPDATE bare SET v = 1')
    await other.query(
      'START TRANSACTION; UPDATE leaf SET v = 5 WHERE id = 1; UPDATE leaf SET v = 5 WHERE id = 2',
    )
    await writer.query('UPDATE top SET v = 6 WHERE id = 1')
    const waits = other.query('UPDATE top SET v = 7 WHERE id = 1')
    const ended = await Promise.allSettled([waits, writer.query('UPDATE leaf SET v = 9 WHERE id = 1')])
    expect(ended.filter(({ status }) => status === 'rejected')).toHaveLength(1)
    await Promise.all([writer.query('ROLLBACK'), other.query('ROLLBACK')])
    await resetter.reset()
    expect(await resetter.detect('scan')).toEqual([])
    await resetter.close()
  })

  it('looks at the counters where InnoDB does not count failures', async () => {
    const { resetter, writer } = await watched(bench, `${FAMILY} ${ODD}`)
    const metric = (verb: string) =>
      bench.admin.query(`SET GLOBAL innodb_monitor_${verb} = 'trx_rollbacks_savepoint'`)
    await metric('disable')
    try {
      for (let round = 0; round < 2; round += 1) {
        await writer.query('INSERT IGNORE INTO plain (v) VALUES (1)')
        expect(await resetter.reset()).toMatchObject({
          detector: 'counters',
          dirty: ['auto_increment `plain`'],
        })
      }
    } finally {
      await metric('enable')
    }
    await writer.query('INSERT IGNORE INTO plain (v) VALUES (1)')
    expect(await resetter.reset()).toMatchObject({ dirty: ['auto_increment `plain`'] })
    await resetter.close()
  })

  it('waits for a session that has written under LOCK TABLES', async () => {
    const { resetter, writer } = await watched(bench)
    await writer.query('LOCK TABLES plain WRITE; INSERT INTO plain (v) VALUES (1)')
    await expect(resetter.reset()).rejects.toMatchObject({ code: 'blocked' })
    await writer.query('UNLOCK TABLES')
    expect((await resetter.reset()).dirty).toEqual(
      expect.arrayContaining(['`plain`', 'auto_increment `plain`']),
    )
    expect(await resetter.detect('scan')).toEqual([])
    expect((await resetter.reset()).detector).toBe('counters')
    await resetter.close()
  })

  it('looks at every table after FLUSH TABLE_STATISTICS', async () => {
    const { name, resetter, writer } = await watched(bench)
    const changed = async () => {
      const [row] = await bench.admin.query(
        `SELECT rows_changed AS n FROM information_schema.table_statistics WHERE table_schema = '${name}' AND table_name = 'bare'`,
      )
      return Number(row?.n ?? 0)
    }
    await writer.query('INSERT INTO bare (v) VALUES (1)')
    expect(await resetter.reset()).toMatchObject({ detector: 'counters' })
    const before = await changed()
    await writer.query('FLUSH TABLE_STATISTICS')
    await writer.query(`INSERT INTO bare (v) VALUES ${Array(before).fill('(1)').join()}`)
    expect(await changed()).toBe(before)
    expect(await resetter.reset()).toMatchObject({
      detector: 'scan',
      why: expect.stringContaining('did not count'),
      dirty: expect.arrayContaining(['`bare`']),
    })
    await writer.query('INSERT INTO bare (v) VALUES (1)')
    expect(await resetter.reset()).toMatchObject({
      detector: 'counters',
      dirty: expect.arrayContaining(['`bare`']),
    })
    expect(await resetter.detect('scan')).toEqual([])
    await resetter.close()
  })

  it('finds a TRUNCATE after a reset in another database was killed between its statements', async () => {
    const own = await watched(
      bench,
      `${FAMILY} CREATE TABLE aside (id INT PRIMARY KEY); INSERT INTO aside VALUES (1);`,
    )
    const killed = await watched(bench)
    const holder = await bench.connect(killed.name)
    await killed.writer.query('INSERT INTO plain (v) VALUES (1); INSERT INTO bare (v) VALUES (1)')
    await holder.query('START TRANSACTION; SELECT * FROM plain; SELECT * FROM bare')
    const [session] = await killed.connection.query('SELECT CONNECTION_ID() AS id')
    const reset = killed.resetter.reset().catch((error: unknown) => error)
    await eventually(async () => {
      const [row] = await bench.admin.query(
        `SELECT info FROM information_schema.processlist WHERE id = ${session?.id} AND state LIKE 'Waiting for table metadata lock'`,
      )
      return row !== undefined || undefined
    })
    await bench.admin.query(`KILL CONNECTION ${session?.id}`)
    expect(await reset).toBeInstanceOf(Error)
    await holder.query('ROLLBACK')
    await sessionIsGone(bench.admin, session?.id)
    await own.writer.query('TRUNCATE TABLE aside')
    expect((await own.resetter.reset()).dirty).toEqual(['`aside`'])
    expect(await own.resetter.detect('scan')).toEqual([])
    expect(await own.resetter.reset()).toMatchObject({ detector: 'counters', dirty: [] })
    await own.writer.query('SET foreign_key_checks = 0; TRUNCATE TABLE aside')
    expect((await own.resetter.reset()).dirty).toEqual(['`aside`'])
    await own.resetter.close()
    // Drops the copy that the killed session left.
    await (await bench.prepare(await bench.connect(killed.name), undefined)).resetter.close()
  })

  it('goes on without what somebody dropped from the registry', async () => {
    const { resetter, writer } = await watched(bench)
    await writer.query('INSERT INTO bare (v) VALUES (1); DROP TABLE afresh_registry.own_statements_3')
    expect((await resetter.reset()).dirty).toContain('`bare`')
    expect(await resetter.detect('scan')).toEqual([])
    // Compares the definitions, since others may have created that table.
    await resetter.reset()
    expect(await resetter.reset()).toMatchObject({ detector: 'counters', dirty: [] })
    await resetter.close()
  })

  it('is not used for tables of other engines, whose rows DELETE does not count', async () => {
    const { connection } = await bench.database(`${FAMILY} CREATE TABLE old (id INT) ENGINE = MEMORY;`)
    const { resetter } = await bench.prepare(connection, undefined)
    await connection.query('INSERT INTO old VALUES (1)')
    expect(await resetter.reset()).toMatchObject({
      detector: 'scan',
      why: expect.stringContaining("not InnoDB's"),
      dirty: ['`old`'],
    })
    await resetter.close()
  })

  it('finds writes from triggers, procedures, XA and partitions, and takes a sequence back', async () => {
    const { resetter, writer } = await watched(
      bench,
      `${FAMILY} CREATE SEQUENCE numbers; CREATE TABLE audit (id INT AUTO_INCREMENT PRIMARY KEY, v INT);
       CREATE TABLE slices (id INT AUTO_INCREMENT PRIMARY KEY, v INT) PARTITION BY HASH (id) PARTITIONS 3;
       CREATE TRIGGER noted AFTER INSERT ON bare FOR EACH ROW INSERT INTO audit (v) VALUES (NEW.v);
       CREATE PROCEDURE add_slice() INSERT INTO slices (v) VALUES (1);`,
    )
    for (const [sql, dirty] of [
      ['INSERT INTO bare (v) VALUES (1)', '`audit`'],
      ['CALL add_slice()', '`slices`'],
      [
        "XA START 'x'; INSERT INTO slices (v) VALUES (1); XA END 'x'; XA PREPARE 'x'; XA COMMIT 'x'",
        '`slices`',
      ],
      ['SELECT NEXTVAL(numbers)', 'sequence `numbers`'],
      ['SELECT SETVAL(numbers, 5000)', 'sequence `numbers`'],
    ] as const) {
      await writer.query(sql)
      expect(await resetter.reset(), sql).toMatchObject({
        detector: 'counters',
        dirty: expect.arrayContaining([dirty]),
      })
      expect(await resetter.detect('scan'), sql).toEqual([])
      expect((await resetter.reset()).dirty, sql).toEqual([])
    }
    await resetter.close()
  })
}

async function sessionIsGone(admin: Connection, id: unknown): Promise<void> {
  await eventually(async () => {
    const left = await admin.query(`SELECT id FROM information_schema.processlist WHERE id = ${String(id)}`)
    return left.length === 0 || undefined
  })
}

describe('userstat', () => {
  describeOn('mariadb:11.8', tests)
  describeOn('mariadb:10.11', tests)
})

await describeVariant('mariadb:11.8-switched', (server) => {
  it('is given up when somebody switches it off for a while', async () => {
    const bench = await Bench.on(server)
    const { connection, name, resetter, writer } = await watched(bench)
    expect(await resetter.reset()).toMatchObject({ detector: 'counters', dirty: [] })
    await writer.query('SET GLOBAL userstat = 0')
    await writer.query('INSERT INTO bare (v) VALUES (1)')
    await bench.admin.query('SET GLOBAL userstat = 1')
    for (const dirty of [['`bare`', 'auto_increment `bare`'], []])
      expect(await resetter.reset()).toMatchObject({
        detector: 'scan',
        why: expect.stringContaining('did not count'),
        dirty,
      })
    await resetter.close()
    await expect(bench.prepare(connection, undefined, { detector: 'counters' })).rejects.toMatchObject({
      code: 'usage',
    })
    expect(name).not.toBe('')
    await bench.close()
  })
})
