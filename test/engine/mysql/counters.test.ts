import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ResetError } from '../../../src/errors.ts'
import type { ServerAtHand } from '../../support/servers.ts'
import { describeVariant } from '../../support/variant-server.ts'
import { countingProxy } from './proxy.ts'
import { Bench, onEachServer } from './support.ts'
import { FAMILY, watched } from './watched.ts'
import { randomFrom, sameContent, writesFor } from './writes.ts'

const ROUNDS = 80

const PARTED = `CREATE TABLE parted (id INT AUTO_INCREMENT PRIMARY KEY, v INT) AUTO_INCREMENT = 20
  PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (100), PARTITION p1 VALUES LESS THAN MAXVALUE);`

const tests = (server: ServerAtHand) => {
  let bench: Bench
  beforeAll(async () => {
    bench = await Bench.on(server)
  })
  afterAll(() => bench.close())

  it('miss nothing that a scan finds, whatever is written', async () => {
    const { connection, name } = await bench.nasty()
    // Some writes to tables of other engines are not counted.
    await connection.query(`ALTER TABLE quick ENGINE = InnoDB; ALTER TABLE old ENGINE = InnoDB; ${PARTED}`)
    const other = await bench.database('CREATE TABLE elsewhere (id INT AUTO_INCREMENT PRIMARY KEY)')
    const { program, resetter } = await bench.prepare(connection, undefined, { detector: 'counters' })
    const baseline = await bench.engine.fingerprint(connection, program.schema)
    const writers = [await bench.connect(name), await bench.connect(name)]
    const random = randomFrom(20_261_122)
    const writes = [
      ...writesFor(bench.isMariaDb),
      'INSERT INTO parent (id, name) VALUES (1, "low")',
      'DELETE FROM parent WHERE id = 1000',
      'UPDATE parent SET id = id + 5 WHERE id = 1001',
      'UPDATE tree SET id = 77 WHERE id = 3',
      'START TRANSACTION; UPDATE words SET n = 9; ROLLBACK',
      'ALTER TABLE audit AUTO_INCREMENT = 500',
      'ALTER TABLE zero AUTO_INCREMENT = 900',
      'ALTER TABLE parted AUTO_INCREMENT = 500',
      'TRUNCATE TABLE parted',
      'ALTER TABLE words FORCE',
      'FLUSH TABLES',
      'ANALYZE TABLE parent',
      'OPTIMIZE TABLE typed',
      'REPLACE INTO words VALUES ("Apple", 5)',
      'INSERT INTO zero VALUES (1, 5) ON DUPLICATE KEY UPDATE v = 6',
      'INSERT IGNORE INTO parent (name) VALUES ("one")',
      'CALL add_parent(UUID())',
      'PREPARE p FROM "TRUNCATE TABLE words"; EXECUTE p',
      'CREATE TEMPORARY TABLE words (id INT); INSERT INTO words VALUES (1); DROP TEMPORARY TABLE words',
      `INSERT INTO \`${other.name}\`.elsewhere () VALUES ()`,
      `TRUNCATE TABLE \`${other.name}\`.elsewhere`,
      `ALTER TABLE \`${other.name}\`.elsewhere AUTO_INCREMENT = 7`,
    ]
    const used: string[] = []
    let changed = 0
    for (let round = 0; round < ROUNDS; round += 1) {
      const chosen = Array.from({ length: random(5) }, () => writes[random(writes.length)] ?? '')
      for (const write of chosen) {
        const writer = writers[random(writers.length)]
        await writer?.query(`SET foreign_key_checks = ${random(2)}`)
        await writer?.query(write).catch(ignoreRefusal)
      }
      const about = `round ${round}: ${chosen.join('; ')}`
      const found = new Set(await resetter.detect('counters'))
      const exact = await resetter.detect('scan')
      expect(
        exact.filter((id) => !found.has(id)),
        about,
      ).toEqual([])
      if (exact.length > 0) changed += 1
      if (random(4) === 0) continue
      const { detector, dirty } = await resetter.reset()
      used.push(detector)
      expect(
        exact.filter((id) => !dirty.includes(id)),
        about,
      ).toEqual([])
      const now = await bench.engine.fingerprint(connection, program.schema)
      expect(sameContent(now, baseline) ? [] : await resetter.detect('scan'), about).toEqual([])
      expect(sameContent(now, baseline), about).toBe(true)
    }
    expect(changed).toBeGreaterThan(ROUNDS / 2)
    expect(used.filter((name) => name === 'counters').length).toBeGreaterThan(used.length / 4)
    await resetter.close()
  })

  it('take one round trip, or two by userstat if dirty, and do not report their own writes', async () => {
    const { name } = await bench.database(FAMILY)
    const proxy = await countingProxy(bench.urlOf(name))
    const connection = await bench.engine.connect(proxy.url)
    const { resetter } = await bench.prepare(connection, undefined, { detector: 'counters' })
    const writer = await bench.connect(name)
    const [userstat] = await bench.admin.query("SHOW GLOBAL VARIABLES LIKE 'userstat'")
    const [column] = await bench.admin.query(
      `SELECT COUNT(*) AS n FROM information_schema.columns WHERE table_schema = 'information_schema'
         AND table_name = 'TABLE_STATISTICS' AND column_name = 'ROWS_INSERTED'`,
    )
    // The settings of the new session could have been about userstat.
    await resetter.reset()
    proxy.reset()
    expect(await resetter.reset()).toMatchObject({ detector: 'counters', dirty: [], ran: [] })
    expect(proxy.requests()).toBe(1)
    await writer.query('INSERT INTO plain (v) VALUES (1), (2); UPDATE leaf SET v = 9; DELETE FROM middle')
    proxy.reset()
    const { dirty } = await resetter.reset()
    expect([...dirty].sort()).toEqual(['`leaf`', '`middle`', '`plain`', 'auto_increment `plain`'])
    // Where the server does not tell which rows were inserted, counters are read first.
    const byUserstat = Number(column?.n) > 0 ? 2 : 3
    expect(proxy.requests()).toBe(userstat?.Value === 'ON' ? byUserstat : 1)
    expect(await resetter.detect('counters')).toEqual([])
    expect(await resetter.detect('scan')).toEqual([])
    await resetter.close()
    await connection.close()
    await proxy.close()
  })

  it('detect cascades, LOAD DATA, rolled back inserts, TRUNCATE and ALTER', async () => {
    const { resetter, writer } = await watched(bench, `${FAMILY} ${PARTED}`)
    const [folder] = await writer.query('SELECT COALESCE(@@secure_file_priv, @@tmpdir) AS path')
    const file = `${folder?.path}/afresh_${process.pid}_${server.engine}_${Date.now()}`
    await writer.query(`SELECT 5, 5 INTO OUTFILE '${file}'`)
    for (const [write, dirty] of [
      [`LOAD DATA INFILE '${file}' INTO TABLE plain`, ['`plain`', 'auto_increment `plain`']],
      ['DELETE FROM top WHERE id = 1', ['`leaf`', '`middle`', '`top`']],
      ['UPDATE top SET id = 9 WHERE id = 2', ['`middle`', '`top`']],
      ['START TRANSACTION; INSERT INTO plain (v) VALUES (1); ROLLBACK', ['auto_increment `plain`']],
      ['SET foreign_key_checks = 0; TRUNCATE TABLE leaf', ['`leaf`']],
      ['ALTER TABLE plain AUTO_INCREMENT = 40', ['auto_increment `plain`']],
      ['ALTER TABLE parted AUTO_INCREMENT = 500', ['auto_increment `parted`']],
      ['TRUNCATE TABLE parted', ['auto_increment `parted`']],
    ] as const) {
      await writer.query(`SET foreign_key_checks = 1; ${write}`)
      const found = await resetter.detect('counters')
      expect(found, write).toEqual(expect.arrayContaining([...dirty]))
      expect((await resetter.reset()).dirty, write).toEqual(expect.arrayContaining([...dirty]))
      expect(await resetter.detect('scan'), write).toEqual([])
    }
    // Truncating a table that is empty in the baseline leaves it at its baseline.
    await writer.query('INSERT INTO bare (v) VALUES (1); TRUNCATE TABLE bare')
    await resetter.reset()
    expect(await resetter.detect('scan')).toEqual([])
    await resetter.close()
  })

  it('detect the writes of a transaction that was open across a reset', async () => {
    const { resetter, writer } = await watched(bench)
    await writer.query(
      'START TRANSACTION; UPDATE leaf SET v = 7 WHERE id = 1; DELETE FROM middle WHERE id = 2',
    )
    await expect(resetter.reset()).rejects.toMatchObject({ code: 'blocked' })
    const later = resetter.reset()
    await writer.query('DO SLEEP(0.3); COMMIT')
    expect([...(await later).dirty].sort()).toEqual(['`leaf`', '`middle`'])
    expect(await resetter.detect('scan')).toEqual([])
    await resetter.close()
  })

  it('detect a TRUNCATE during a reset', async () => {
    const { connection, name } = await bench.database(
      `${FAMILY} CREATE TABLE aside (id INT PRIMARY KEY); INSERT INTO aside VALUES (1);`,
    )
    const { resetter } = await bench.prepare(connection, undefined, { detector: 'counters' })
    const writer = await bench.connect(name)
    const holder = await bench.connect(name)
    await writer.query('INSERT INTO plain (v) VALUES (1); INSERT INTO bare (v) VALUES (1)')
    await writer.query('UPDATE top SET v = 9 WHERE id = 2')
    await holder.query('START TRANSACTION; SELECT * FROM top WHERE id = 2 LOCK IN SHARE MODE')
    const underWay = resetter.reset()
    await writer.query('DO SLEEP(0.5); TRUNCATE TABLE aside')
    await holder.query('ROLLBACK')
    expect((await underWay).dirty).not.toContain('`aside`')
    expect((await resetter.reset()).dirty).toContain('`aside`')
    expect(await resetter.detect('scan')).toEqual([])
    await resetter.close()
  })

  it.each([
    ['CREATE TABLE fresh (id INT)', 'fresh is new'],
    ['DROP TABLE bare', 'bare is gone'],
    ['ALTER TABLE leaf ADD COLUMN w INT', 'leaf has changed'],
    ['RENAME TABLE plain TO plainer', 'plainer is new, plain is gone'],
    ['DROP TABLE bare; CREATE TABLE bare (id INT)', 'bare has changed'],
  ])('report that a test ran %s', async (sql, said) => {
    const { connection, resetter } = await watched(bench)
    await connection.query(sql)
    const error = await resetter.reset().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ResetError)
    expect(error).toMatchObject({ code: 'plan', message: expect.stringContaining(said) })
    await resetter.close()
  })

  it('repair only the rows that differ, with or without a key', async () => {
    const numbers = 'SELECT a.d * 100 + b.d * 10 + c.d AS n FROM digits a, digits b, digits c'
    const { connection, program, resetter, writer } = await watched(
      bench,
      `CREATE TABLE digits (d INT PRIMARY KEY); INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
         CREATE TABLE keyed (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO keyed SELECT n, CONCAT('v', n) FROM (${numbers}) AS x;
         CREATE TABLE bag (v VARCHAR(20), f FLOAT); INSERT INTO bag SELECT CONCAT('v', n DIV 2), 0.1 FROM (${numbers}) AS x;`,
    )
    const baseline = await bench.engine.fingerprint(connection, program.schema)
    await writer.query(`UPDATE keyed SET v = 'x' WHERE id < 4; DELETE FROM keyed WHERE id = 9; INSERT INTO keyed VALUES (5000, 'y');
        UPDATE bag SET v = 'x' WHERE v = 'v7'; DELETE FROM bag WHERE v = 'v8' LIMIT 1; INSERT INTO bag VALUES ('v9', 0.1)`)
    const { ran } = await resetter.reset()
    const rows = (kind: string, table: string) =>
      ran.find(({ step }) => {
        const made = program.plan.steps[step]
        return (
          made?.kind === kind && ('table' in made ? made.table : 'tables' in made && made.tables[0]) === table
        )
      })?.rows
    expect([rows('delete-differing', '`keyed`'), rows('insert-missing', '`keyed`')]).toEqual([5, 5])
    expect([rows('delete-differing', '`bag`'), rows('insert-missing', '`bag`')]).toEqual([6, 6])
    expect(await bench.engine.fingerprint(connection, program.schema)).toEqual(baseline)
    await resetter.close()
  })
}

describe('counters', () => onEachServer(tests))
await describeVariant('mariadb:11.8-counted', tests)

/** Ignores expected errors: trigger vetoes, duplicate keys, violated foreign keys and checks. */
function ignoreRefusal(error: unknown): void {
  const errno = typeof error === 'object' && error !== null && 'errno' in error ? Number(error.errno) : 0
  if (![1644, 1062, 1451, 1452, 1701, 3819, 4025].includes(errno)) throw error
}
