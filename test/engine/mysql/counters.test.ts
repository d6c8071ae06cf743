import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Connection } from '../../../src/engine/engine.ts'
import { AfreshError, ResetError } from '../../../src/errors.ts'
import { countingProxy } from './proxy.ts'
import { Bench, onEachServer } from './support.ts'
import { randomFrom, sameContent, writesFor } from './writes.ts'

const ROUNDS = 80

const FAMILY = `
  CREATE TABLE top (id INT AUTO_INCREMENT PRIMARY KEY, v INT);
  CREATE TABLE middle (id INT PRIMARY KEY, top INT, FOREIGN KEY (top) REFERENCES top (id) ON DELETE CASCADE ON UPDATE CASCADE);
  CREATE TABLE leaf (id INT PRIMARY KEY, middle INT, v INT,
    FOREIGN KEY (middle) REFERENCES middle (id) ON DELETE SET NULL ON UPDATE CASCADE);
  INSERT INTO top VALUES (1, 1), (2, 2); INSERT INTO middle VALUES (1, 1), (2, 2); INSERT INTO leaf VALUES (1, 1, 1), (2, 2, 2);
  CREATE TABLE plain (id INT AUTO_INCREMENT PRIMARY KEY, v INT UNIQUE);
  CREATE TABLE bare (id INT AUTO_INCREMENT PRIMARY KEY, v INT);`

describe('counters', () => {
  onEachServer((server) => {
    let bench: Bench
    beforeAll(async () => {
      bench = await Bench.on(server)
    })
    afterAll(() => bench.close())

    async function watched(script = FAMILY) {
      const { connection, name } = await bench.database(script)
      const { program, resetter } = await bench.prepare(connection, undefined, {
        detector: 'counters',
        lockTimeoutMs: 1000,
      })
      return { connection, name, program, resetter, writer: await bench.connect(name) }
    }

    it('miss nothing that a scan finds, whatever is written', async () => {
      const { connection, name } = await bench.nasty()
      // Of other engines' tables not everything is counted.
      await connection.query('ALTER TABLE quick ENGINE = InnoDB; ALTER TABLE old ENGINE = InnoDB')
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

    it('take one round trip, clean or dirty, and find their own writes to be none', async () => {
      const { name } = await bench.database(FAMILY)
      const proxy = await countingProxy(bench.urlOf(name))
      const connection = await bench.engine.connect(proxy.url)
      const { resetter } = await bench.prepare(connection, undefined, { detector: 'counters' })
      const writer = await bench.connect(name)
      proxy.reset()
      expect(await resetter.reset()).toMatchObject({ detector: 'counters', dirty: [], ran: [] })
      expect(proxy.requests()).toBe(1)
      await writer.query('INSERT INTO plain (v) VALUES (1), (2); UPDATE leaf SET v = 9; DELETE FROM middle')
      proxy.reset()
      const { dirty } = await resetter.reset()
      expect([...dirty].sort()).toEqual(['`leaf`', '`middle`', '`plain`', 'auto_increment `plain`'])
      expect(proxy.requests()).toBe(1)
      expect(await resetter.detect('counters')).toEqual([])
      expect(await resetter.detect('scan')).toEqual([])
      await resetter.close()
      await connection.close()
      await proxy.close()
    })

    it('see cascades, LOAD DATA, rolled back inserts, TRUNCATE and ALTER', async () => {
      const { resetter, writer } = await watched()
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
      ] as const) {
        await writer.query(`SET foreign_key_checks = 1; ${write}`)
        const found = await resetter.detect('counters')
        expect(found, write).toEqual(expect.arrayContaining([...dirty]))
        expect((await resetter.reset()).dirty, write).toEqual(expect.arrayContaining([...dirty]))
        expect(await resetter.detect('scan'), write).toEqual([])
      }
      // What a test empties that the baseline has empty is nobody's business.
      await writer.query('INSERT INTO bare (v) VALUES (1); TRUNCATE TABLE bare')
      await resetter.reset()
      expect(await resetter.detect('scan')).toEqual([])
      await resetter.close()
    })

    it('find what a transaction wrote that was open across a reset', async () => {
      const { resetter, writer } = await watched()
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

    it.each([
      ['CREATE TABLE fresh (id INT)', 'fresh is new'],
      ['DROP TABLE bare', 'bare is gone'],
      ['ALTER TABLE leaf ADD COLUMN w INT', 'leaf is another one'],
      ['RENAME TABLE plain TO plainer', 'plainer is new, plain is gone'],
      ['DROP TABLE bare; CREATE TABLE bare (id INT)', 'bare is another one'],
    ])('tell of a test that ran %s', async (sql, said) => {
      const { connection, resetter } = await watched()
      await connection.query(sql)
      const error = await resetter.reset().catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(ResetError)
      expect(error).toMatchObject({ code: 'plan', message: expect.stringContaining(said) })
      await resetter.close()
    })

    it('give way to a scan while the server is told not to count, and come back', async () => {
      const { name, resetter, writer } = await watched()
      const instrument = (enabled: string) =>
        bench.admin.query(
          `UPDATE performance_schema.setup_instruments SET enabled = '${enabled}' WHERE name = 'wait/io/table/sql/handler'`,
        )
      const second = await bench.connect(name)
      const refusal = async (): Promise<unknown> =>
        bench.prepare(second, undefined, { detector: 'counters' }).catch((error: unknown) => error)
      await instrument('NO')
      try {
        await writer.query('INSERT INTO plain (v) VALUES (1)')
        const { detector, why, dirty } = await resetter.reset()
        expect({ detector, why }).toEqual({ detector: 'scan', why: expect.stringContaining('did not count') })
        expect(dirty).toContain('`plain`')
        const error = await refusal()
        expect(error).toBeInstanceOf(AfreshError)
        expect(error).toMatchObject({
          code: 'usage',
          message: expect.stringMatching(/not to count[\s\S]*GRANT SELECT/),
        })
        const auto = await bench.prepare(second, undefined)
        expect(await auto.resetter.reset()).toMatchObject({
          detector: 'scan',
          why: expect.stringMatching(/not to count/),
        })
        await auto.resetter.close()
      } finally {
        await instrument('YES')
      }
      // The table was opened while nothing was counted.
      await writer.query('FLUSH TABLES; INSERT INTO plain (v) VALUES (1)')
      await resetter.reset()
      await writer.query('INSERT INTO plain (v) VALUES (1)')
      expect(await resetter.reset()).toMatchObject({ detector: 'counters' })

      await bench.admin.query(
        `INSERT INTO performance_schema.setup_objects VALUES ('TABLE', '${name}', '%', 'NO', 'NO')`,
      )
      expect(await refusal()).toMatchObject({ code: 'usage' })
      await writer.query('INSERT INTO plain (v) VALUES (1)')
      expect(await resetter.reset()).toMatchObject({
        detector: 'scan',
        dirty: expect.arrayContaining(['`plain`']),
      })
      await bench.admin.query(`DELETE FROM performance_schema.setup_objects WHERE object_schema = '${name}'`)
      await resetter.close()
    })

    it('are not relied on where not everything is counted', async () => {
      const { connection } = await bench.database(`${FAMILY} CREATE TABLE old (id INT) ENGINE = MyISAM;`)
      await expect(bench.prepare(connection, undefined, { detector: 'counters' })).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringContaining("the table old is not InnoDB's"),
      })
      const { resetter } = await bench.prepare(connection, undefined)
      expect((await resetter.reset()).why).toContain("not InnoDB's")
      await expect(resetter.detect('counters')).rejects.toMatchObject({ code: 'usage' })
      await resetter.close()
    })

    it('put a table right by what differs, with or without a key', async () => {
      const numbers = 'SELECT a.d * 100 + b.d * 10 + c.d AS n FROM digits a, digits b, digits c'
      const { connection, program, resetter, writer } = await watched(
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
            made?.kind === kind &&
            ('table' in made ? made.table : 'tables' in made && made.tables[0]) === table
          )
        })?.rows
      expect([rows('trim', '`keyed`'), rows('fill', '`keyed`')]).toEqual([5, 5])
      expect([rows('trim', '`bag`'), rows('fill', '`bag`')]).toEqual([6, 6])
      expect(await bench.engine.fingerprint(connection, program.schema)).toEqual(baseline)
      await resetter.close()
    })

    it('leave nothing behind, and take away what a session that was cut short has left', async () => {
      const { connection, name } = await bench.database(FAMILY)
      const ours = async () =>
        (await bench.admin.query(`SELECT id FROM afresh_registry.watches WHERE database_name = '${name}'`))
          .length
      const stray = async () => {
        const [row] = await bench.admin.query(
          ['seen', 'steps', 'cascades']
            .map((table) => `SELECT watch FROM afresh_registry.${table}`)
            .join(' UNION ALL ')
            .replace(/^/, 'SELECT COUNT(*) AS n FROM (')
            .concat(') AS a WHERE watch NOT IN (SELECT id FROM afresh_registry.watches)'),
        )
        return Number(row?.n)
      }
      const lost = await bench.engine.connect(bench.urlOf(name))
      await bench.prepare(lost, undefined, { detector: 'counters' })
      await lost.close()
      await sessionsAreGone(bench, name, connection)
      expect(await ours()).toBe(1)
      const { resetter } = await bench.prepare(connection, undefined, { detector: 'counters' })
      await resetter.close()
      expect([await ours(), await stray()]).toEqual([0, 0])
    })
  })
})

async function sessionsAreGone(bench: Bench, name: string, except: Connection): Promise<void> {
  const [own] = await except.query('SELECT CONNECTION_ID() AS id')
  for (;;) {
    const left = await bench.admin.query(
      `SELECT id FROM information_schema.processlist WHERE db = '${name}' AND id <> ${own?.id}`,
    )
    if (left.length === 0) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Vetoes of a trigger, keys that are taken, and foreign keys, where they are checked, are part of the game. */
function ignoreRefusal(error: unknown): void {
  const errno = typeof error === 'object' && error !== null && 'errno' in error ? Number(error.errno) : 0
  if (![1644, 1062, 1451, 1452, 1701, 3819, 4025].includes(errno)) throw error
}
