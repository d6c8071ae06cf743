import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Connection } from '../../../src/engine/connection.ts'
import { Bench, onEachServer } from './support.ts'
import { randomFrom, sameContent } from './writes.ts'

/** More of them in a longer run: AFRESH_ROUNDS=2000 npx vitest run test/engine/mysql/random-rounds */
const ROUNDS = Number(process.env.AFRESH_ROUNDS ?? 60)
const SEED = Number(process.env.AFRESH_SEED ?? 20_261_201)
const WORKERS = 3

const SCHEMA = `
  CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, u INT UNIQUE, n INT);
  CREATE TABLE b (id INT AUTO_INCREMENT PRIMARY KEY, a INT, n INT, FOREIGN KEY (a) REFERENCES a (id) ON DELETE CASCADE ON UPDATE CASCADE);
  CREATE TABLE c (id INT AUTO_INCREMENT PRIMARY KEY, b INT, n INT, FOREIGN KEY (b) REFERENCES b (id) ON DELETE SET NULL ON UPDATE CASCADE);
  CREATE TABLE d (id INT AUTO_INCREMENT PRIMARY KEY, n INT); CREATE TABLE log (id INT AUTO_INCREMENT PRIMARY KEY, n INT);
  CREATE TABLE e (id INT PRIMARY KEY, n INT); CREATE TABLE quiet (id INT AUTO_INCREMENT PRIMARY KEY, n INT);
  CREATE TABLE parted (id INT AUTO_INCREMENT PRIMARY KEY, n INT) PARTITION BY HASH (id) PARTITIONS 3;
  CREATE TABLE texts (id INT AUTO_INCREMENT PRIMARY KEY, n INT, t TEXT, FULLTEXT (t));
  CREATE TABLE r (id INT AUTO_INCREMENT PRIMARY KEY, u INT UNIQUE, n INT);
  CREATE TABLE rc (id INT AUTO_INCREMENT PRIMARY KEY, r INT, n INT, FOREIGN KEY (r) REFERENCES r (id) ON DELETE CASCADE ON UPDATE CASCADE);
  INSERT INTO r (u, n) VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6); INSERT INTO rc (r, n) VALUES (1, 1), (2, 2), (3, 3);
  CREATE TRIGGER noted AFTER INSERT ON d FOR EACH ROW INSERT INTO log (n) VALUES (NEW.n);
  CREATE PROCEDURE add_d(v INT) INSERT INTO d (n) VALUES (v);`

const ON_MARIADB = `CREATE SEQUENCE numbers; CREATE TABLE hashed (id INT AUTO_INCREMENT PRIMARY KEY, t TEXT, UNIQUE (t));
  INSERT INTO hashed (t) VALUES ('1'), ('2'), ('3');`

/** `n`: a small number, `x`: a name that no other worker uses, `file`: one with a number. */
function writes(n: number, { x, file }: { x: string; file: string }, isMariaDb: boolean): string[] {
  return [
    `INSERT INTO a (u, n) VALUES (${n}, 1)`,
    `INSERT INTO a (u, n) VALUES (${n}, 1), (${n + 1}, 2), (${n}, 3)`,
    `INSERT IGNORE INTO a (u, n) VALUES (${n}, 1), (${n}, 2)`,
    `INSERT INTO a (u, n) VALUES (${n}, 1) ON DUPLICATE KEY UPDATE n = n`,
    `INSERT INTO r (u, n) VALUES (${n}, 1)`,
    `INSERT IGNORE INTO r (u, n) VALUES (${n}, 1)`,
    `INSERT INTO r (u, n) VALUES (${n}, 1) ON DUPLICATE KEY UPDATE n = n`,
    `REPLACE INTO r (u, n) VALUES (${n}, 9)`,
    `UPDATE r SET n = n + 1 WHERE u = ${n}`,
    `UPDATE r SET n = n WHERE u = ${n}`,
    `DELETE FROM r WHERE u = ${n}`,
    `UPDATE r SET id = id + 100 WHERE u = ${n}`,
    `INSERT INTO rc (r, n) VALUES (${n}, 1)`,
    'INSERT INTO b (a, n) SELECT id, n FROM a',
    `INSERT INTO b (a) VALUES (${n})`,
    'INSERT INTO c (b) SELECT id FROM b',
    'DELETE FROM a',
    `UPDATE a SET id = id + 50 WHERE u = ${n}`,
    `INSERT INTO d (n) VALUES (${n})`,
    `CALL add_d(${n})`,
    `INSERT INTO e VALUES (${n}, 1)`,
    'INSERT INTO parted (n) VALUES (1), (2)',
    "INSERT INTO texts (t) VALUES ('some words')",
    'UPDATE a JOIN d ON a.n = d.n SET a.n = 5, d.n = 6',
    'DELETE a, d FROM a JOIN d ON 1',
    `INSERT INTO d (id, n) VALUES (${n * 10}, 1)`,
    'START TRANSACTION; INSERT INTO d (n) VALUES (1), (2); ROLLBACK',
    `START TRANSACTION; INSERT INTO log (n) VALUES (1); SAVEPOINT s; DELETE FROM r WHERE u = ${n}; ROLLBACK TO s; COMMIT`,
    `XA START '${x}'; INSERT INTO d (n) VALUES (1); XA END '${x}'; XA PREPARE '${x}'; XA ROLLBACK '${x}'`,
    `LOCK TABLES a WRITE; INSERT INTO a (n) VALUES (${n}); UNLOCK TABLES`,
    `LOAD DATA INFILE '${file}' INTO TABLE quiet (n)`,
    'SELECT * FROM r FOR UPDATE',
    'CREATE TEMPORARY TABLE a (id INT); INSERT INTO a VALUES (1); DROP TEMPORARY TABLE a',
    ...(isMariaDb
      ? [
          `INSERT IGNORE INTO hashed (t) VALUES ('${n}')`,
          'SELECT NEXTVAL(numbers)',
          'INSERT INTO log (n) SELECT seq FROM seq_1_to_400',
        ]
      : []),
  ]
}

function definitions(n: number, isMariaDb: boolean): string[] {
  return [
    'SET foreign_key_checks = 0; TRUNCATE TABLE r; SET foreign_key_checks = 1',
    'TRUNCATE TABLE d',
    `ALTER TABLE quiet AUTO_INCREMENT = ${n * 7}`,
    'ALTER TABLE d FORCE',
    'OPTIMIZE TABLE quiet',
    'RENAME TABLE quiet TO other, other TO quiet',
    ...(isMariaDb ? ['FLUSH TABLE_STATISTICS'] : []),
  ]
}

describe('resets of random writes', () => {
  onEachServer((server) => {
    let bench: Bench
    beforeAll(async () => {
      bench = await Bench.on(server)
    })
    afterAll(() => bench.close())

    it(
      'restore rows and counters, with several workers on one server',
      async () => {
        const detectors = await Promise.all(Array.from({ length: WORKERS }, (_, index) => work(bench, index)))
        const used = detectors.flat()
        // Definitions that other workers change lead to scans.
        expect(used.filter((name) => name === 'counters').length).toBeGreaterThan(used.length / 4)
      },
      Math.max(60_000, ROUNDS * 1000),
    )
  })
})

/** Returns the detector of each reset. */
async function work(bench: Bench, index: number): Promise<string[]> {
  const random = randomFrom(SEED + index)
  const { connection, name } = await bench.database(`${SCHEMA} ${bench.isMariaDb ? ON_MARIADB : ''}`)
  const { program, resetter } = await bench.prepare(connection, undefined, { detector: 'counters' })
  const baseline = await bench.engine.fingerprint(connection, program.schema)
  const writers = [await bench.connect(name), await bench.connect(name)]
  const [folder] = await connection.query('SELECT COALESCE(@@secure_file_priv, @@tmpdir) AS path')
  const file = `${folder?.path}/${name}_${Date.now()}`
  await bench.admin.query(`SELECT 5 INTO OUTFILE '${file}'`)
  const used: string[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const done: string[] = []
    for (let left = random(4) === 0 ? 0 : random(6); left > 0; left -= 1) {
      const n = random(9) + 1
      const all =
        random(25) === 0
          ? definitions(n, bench.isMariaDb)
          : writes(n, { x: `${name}_${round}`, file }, bench.isMariaDb)
      const sql = all[random(all.length)] ?? ''
      const writer = writers[random(2)]
      done.push(sql)
      await writer?.query(sql).catch(async (error: unknown) => {
        ignoreExpected(error)
        await writer.query('UNLOCK TABLES; ROLLBACK')
      })
    }
    const about = `worker ${index}, round ${round}: ${done.join('; ')}`
    const open = random(8) === 0 ? leftOpen(writers[0]) : Promise.resolve()
    const [{ detector }] = await Promise.all([resetter.reset(), open])
    used.push(detector)
    // Finds what was committed during the reset.
    await resetter.reset()
    const now = await bench.engine.fingerprint(connection, program.schema)
    expect(sameContent(now, baseline) ? [] : await resetter.detect('scan'), about).toEqual([])
    expect(sameContent(now, baseline), about).toBe(true)
  }
  await resetter.close()
  return used
}

/** A transaction that is open while a reset begins. */
async function leftOpen(writer: Connection | undefined): Promise<void> {
  await writer?.query('START TRANSACTION; INSERT INTO e VALUES (77, 1); INSERT INTO log (n) VALUES (1)')
  await writer?.query('DO SLEEP(0.02); COMMIT')
}

/** Duplicates, foreign keys, deadlocks, timeouts. */
const EXPECTED = [1062, 1451, 1452, 1205, 1213, 1020, 1701, 1761]

function ignoreExpected(error: unknown): void {
  const errno = typeof error === 'object' && error !== null && 'errno' in error ? Number(error.errno) : 0
  if (!EXPECTED.includes(errno)) throw error
}
