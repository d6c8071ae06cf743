import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Connection, Fingerprint } from '../../../src/engine/engine.ts'
import type { Schema } from '../../../src/schema/schema.ts'
import { countingProxy } from './proxy.ts'
import { Bench, onEachServer } from './support.ts'

const ROUNDS = 40

describe('reset', () => {
  onEachServer((server) => {
    let bench: Bench
    beforeAll(async () => {
      bench = await Bench.on(server)
    })
    afterAll(() => bench.close())

    for (const strategy of ['auto', 'delete', 'truncate'] as const) {
      it(`returns to the template after any writes (${strategy})`, async () => {
        const template = await bench.nasty()
        await bench.databases.freeze(bench.admin, template.name)
        const { connection, name } = await bench.clone(template.name)
        const { program, resetter } = await bench.prepare(connection, template.name, { strategy })
        const writer = await bench.connect(name)
        await returnsAfterAnyWrites(bench, {
          connection,
          writer,
          schema: program.schema,
          reset: () => resetter.reset(),
        })
        await resetter.close()
      })
    }

    it('returns to what was there when there is no template, and leaves no copy behind', async () => {
      const { connection, name } = await bench.nasty()
      const { program, resetter } = await bench.prepare(connection, undefined)
      const writer = await bench.connect(name)
      await returnsAfterAnyWrites(bench, {
        connection,
        writer,
        schema: program.schema,
        reset: () => resetter.reset(),
      })
      expect(await copies(bench)).toHaveLength(1)
      await resetter.close()
      expect(await copies(bench)).toHaveLength(0)
    })

    it('gives out the next ids of the baseline', async () => {
      const { connection } = await bench.nasty()
      const { resetter } = await bench.prepare(connection, undefined)
      await connection.query("INSERT INTO parent (name) VALUES ('x')")
      await connection.query('START TRANSACTION; INSERT INTO audit (what) VALUES ("a"), ("b"); ROLLBACK')
      await connection.query('INSERT INTO old (id) VALUES (77)')
      await connection.query('DELETE FROM zero')
      await resetter.reset()
      await connection.query(
        "INSERT INTO parent (name) VALUES ('y'); INSERT INTO audit (what) VALUES ('c'); INSERT INTO old (v) VALUES (2); INSERT INTO zero (v) VALUES (1)",
      )
      const [ids] = await connection.query(
        "SELECT (SELECT MAX(id) FROM parent) AS p, (SELECT id FROM audit WHERE what = 'c') AS a, (SELECT MAX(id) FROM old) AS o, (SELECT MAX(id) FROM zero) AS z",
      )
      expect(Object.values(ids ?? {}).map(Number)).toEqual([1003, 1, 51, 2])
      await resetter.close()
    })

    it('finds a change that only an exact comparison sees', async () => {
      const { connection } = await bench.nasty()
      const { resetter } = await bench.prepare(connection, undefined)
      for (const [change, id] of [
        ["UPDATE words SET word = 'apple' WHERE n = 1", '`words`'],
        [`UPDATE typed SET j = '{"a": 1, "b": [1, 2]}', touched = touched WHERE id = 1`, '`typed`'],
        ['UPDATE typed SET f = 0.10000001, touched = touched WHERE id = 1', '`typed`'],
        ['UPDATE typed SET c = NULL, touched = touched WHERE id = 3', '`typed`'],
        ['UPDATE typed SET hidden = 8, touched = touched WHERE id = 1', '`typed`'],
        ["INSERT INTO bag VALUES ('other', 2.5, '')", '`bag`'],
        ["UPDATE bag SET line = 'Same' LIMIT 1", '`bag`'],
        ['UPDATE zero SET id = 5 WHERE id = 0', '`zero`'],
      ] as const) {
        await connection.query(change)
        expect(await resetter.detect(), change).toContain(id)
        expect((await resetter.reset()).dirty, change).toContain(id)
        expect(await resetter.detect(), change).toEqual([])
      }
      await resetter.close()
    })

    it('takes two round trips when something is dirty, one when nothing is', async () => {
      const { name } = await bench.nasty()
      const proxy = await countingProxy(bench.urlOf(name))
      const connection = await bench.engine.connect(proxy.url)
      const { resetter } = await bench.prepare(connection, undefined)
      const writer = await bench.connect(name)
      await resetter.reset()
      proxy.reset()
      expect((await resetter.reset()).dirty).toEqual([])
      expect(proxy.requests()).toBe(1)
      await writer.query(
        "INSERT INTO parent (name) VALUES ('x'); UPDATE audited SET v = 9; DELETE FROM typed; INSERT INTO watched (v) VALUES (1)",
      )
      proxy.reset()
      expect((await resetter.reset()).dirty).not.toEqual([])
      expect(proxy.requests()).toBe(2)
      await resetter.close()
      await connection.close()
      await proxy.close()
    })

    it('gives every table a range of ids of its own (spread), again after each reset', async () => {
      const { connection } = await bench.nasty()
      const { resetter } = await bench.prepare(connection, undefined, { sequences: 'spread' })
      const next = async () => {
        await connection.query('INSERT INTO audit () VALUES (); INSERT INTO tree () VALUES ()')
        const [row] = await connection.query(
          'SELECT (SELECT MAX(id) FROM audit) AS a, (SELECT MAX(id) FROM tree) AS t',
        )
        return Object.values(row ?? {}).map(Number)
      }
      const first = await next()
      expect(first.every((id) => id % 1_000_000 === 1)).toBe(true)
      expect(new Set(first).size).toBe(2)
      await resetter.reset()
      expect(await next()).toEqual(first)
      await connection.query('TRUNCATE TABLE tree')
      await resetter.reset()
      expect(await next()).toEqual(first)
      await resetter.close()
    })

    it('reports what it did', async () => {
      const { connection } = await bench.database(
        `CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, v INT); CREATE TABLE b (id INT PRIMARY KEY, v INT);
         CREATE TABLE big (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(100)); INSERT INTO b VALUES (1, 1), (2, 2);`,
      )
      const { program, resetter } = await bench.prepare(connection, undefined)
      await connection.query('INSERT INTO a (v) VALUES (1), (2); UPDATE b SET v = 3 WHERE id = 2')
      await connection.query("INSERT INTO big (v) VALUES (REPEAT('x', 100))")
      for (let n = 0; n < 13; n += 1) await connection.query('INSERT INTO big (v) SELECT v FROM big')
      const { dirty, ran, detector } = await resetter.reset()
      expect(detector).toBe('scan')
      expect([...dirty].sort()).toEqual(['`a`', '`b`', '`big`', 'auto_increment `a`', 'auto_increment `big`'])
      const steps = ran.map(({ step, rows, truncated }) => {
        const { kind, ...rest } = program.plan.steps[step] ?? { kind: '' }
        const table = 'table' in rest ? rest.table : 'tables' in rest ? rest.tables[0] : undefined
        return { kind, table, rows, truncated }
      })
      expect(steps).toEqual(
        expect.arrayContaining([
          { kind: 'delete', table: '`a`', rows: 2, truncated: false },
          { kind: 'delete', table: '`big`', rows: undefined, truncated: true },
          { kind: 'trim', table: '`b`', rows: 1, truncated: false },
          { kind: 'fill', table: '`b`', rows: 1, truncated: false },
          { kind: 'restart', table: undefined, rows: undefined, truncated: false },
        ]),
      )
      expect(steps).toHaveLength(5)
      await resetter.close()
    })

    it('keeps kept tables, and counters where they are to be kept', async () => {
      const { connection } = await bench.database(
        `CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY); CREATE TABLE kept (id INT AUTO_INCREMENT PRIMARY KEY, a INT,
         FOREIGN KEY (a) REFERENCES a (id));`,
      )
      const { resetter } = await bench.prepare(connection, undefined, { keep: ['kept'], sequences: 'keep' })
      await connection.query('INSERT INTO a VALUES (7); INSERT INTO kept VALUES (1, NULL)')
      await resetter.reset()
      await connection.query('INSERT INTO a VALUES ()')
      expect(await connection.query('SELECT * FROM a')).toEqual([{ id: 8 }])
      expect(await connection.query('SELECT * FROM kept')).toEqual([{ id: 1, a: null }])
      await connection.query('UPDATE kept SET a = 8')
      await expect(resetter.reset()).rejects.toThrow(
        /check the references of kept to a[\s\S]*A kept table refers/,
      )
      expect(await connection.query('SELECT * FROM a')).toEqual([{ id: 8 }])
      await connection.query('UPDATE kept SET a = NULL')
      await resetter.reset()
      expect(await connection.query('SELECT * FROM a')).toEqual([])
      await resetter.close()
    })
  })
})

async function copies(bench: Bench): Promise<unknown[]> {
  return bench.admin.query(
    "SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name LIKE 'afresh\\_baseline\\_%'",
  )
}

interface Subject {
  readonly connection: Connection
  readonly writer: Connection
  readonly schema: Schema
  reset(): Promise<unknown>
}

async function returnsAfterAnyWrites(
  bench: Bench,
  { connection, writer, schema, reset }: Subject,
): Promise<void> {
  const { engine } = bench
  await reset()
  const baseline = await engine.fingerprint(connection, schema)
  const random = randomFrom(20_260_727)
  const writes = writesFor(bench.isMariaDb)
  let changed = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    const chosen = Array.from({ length: 1 + random(5) }, () => writes[random(writes.length)] ?? '')
    await writer.query('SET foreign_key_checks = 0')
    for (const write of chosen) await writer.query(write).catch(ignoreVeto)
    if (!same(await engine.fingerprint(connection, schema), baseline)) changed += 1
    await reset()
    expect(await engine.fingerprint(connection, schema), `round ${round}: ${chosen.join('; ')}`).toEqual(
      baseline,
    )
  }
  expect(changed).toBeGreaterThan(ROUNDS / 2)
  const triggers = await connection.query(
    'SELECT trigger_name AS name FROM information_schema.triggers WHERE trigger_schema = DATABASE() ORDER BY 1',
  )
  expect(triggers.map(({ name }) => name)).toEqual([
    'audited_before',
    'audited_first',
    'audited_gone',
    'audited_second',
    'wat`ched',
  ])
}

/** The trigger that vetoes, and duplicate keys of a second insert, are part of the game. */
function ignoreVeto(error: unknown): void {
  const errno = typeof error === 'object' && error !== null && 'errno' in error ? error.errno : undefined
  if (errno !== 1644 && errno !== 1062) throw error
}

function same(a: Fingerprint, b: Fingerprint): boolean {
  const text = (one: Fingerprint) => JSON.stringify([[...one.tables], [...one.sequences]])
  return text(a) === text(b)
}

function writesFor(mariadb: boolean): string[] {
  const weird = '`we``ird. "Näme" \'x\' %`'
  return [
    'INSERT INTO parent (name) VALUES (UUID()), (UUID())',
    'DELETE FROM parent WHERE id = 1001',
    'TRUNCATE TABLE parent',
    "UPDATE parent SET name = CONCAT(name, '!')",
    "INSERT INTO child VALUES (9, 'nine', NULL)",
    'UPDATE child SET a = a + 10',
    'INSERT INTO grandchild (a) VALUES (NULL), (NULL)',
    'START TRANSACTION; INSERT INTO tree (parent_id) VALUES (1); ROLLBACK',
    'INSERT INTO tree (id, parent_id) VALUES (500000, 500000)',
    'DELETE FROM tree',
    'DELETE FROM egg; DELETE FROM hen',
    'INSERT INTO egg (hen_id) VALUES (1); INSERT INTO hen (egg_id) VALUES (1)',
    `INSERT INTO ${weird} () VALUES ()`,
    `DELETE FROM ${weird}`,
    'INSERT INTO `Ünïcode €` VALUES (1, 1)',
    'TRUNCATE TABLE typed',
    'DELETE FROM typed WHERE id = 2',
    "UPDATE typed SET d = d + 1, s = 'x'",
    'DELETE FROM zero WHERE id = 0',
    'TRUNCATE TABLE zero',
    "DELETE FROM words WHERE word = 'apple'; INSERT INTO words VALUES ('APPLE', 1)",
    'DELETE FROM bag LIMIT 1',
    "INSERT INTO bag VALUES ('same', 0.1, x'01')",
    'TRUNCATE TABLE bag',
    'INSERT INTO parts (at, v) VALUES (5, 5), (500, 5)',
    'DELETE FROM parts WHERE at = 50',
    'ALTER TABLE parts TRUNCATE PARTITION p0',
    'INSERT INTO audited (v) VALUES (7)',
    'DELETE FROM audited WHERE id = 1',
    "UPDATE audited SET stamp = 'new'",
    'INSERT INTO watched (v) VALUES (1)',
    'DELETE FROM audit',
    'INSERT INTO quick (v) VALUES (1)',
    'INSERT INTO old (v) VALUES (2)',
    'DELETE FROM old',
    'INSERT INTO old (id) VALUES (900)',
    'UPDATE checked SET v = 6',
    'DELETE FROM checked',
    ...(mariadb
      ? [
          'SELECT NEXTVAL(free_seq)',
          'SELECT NEXTVAL(unused_seq), NEXTVAL(unused_seq)',
          'SELECT SETVAL(unused_seq, 5000)',
          'INSERT INTO ticket (v) VALUES (2)',
          'UPDATE history_full SET v = 8',
          'DELETE FROM history_full',
          'INSERT INTO history_empty (v) VALUES (1); DELETE FROM history_empty',
          'INSERT INTO history_empty (v) VALUES (1)',
        ]
      : ['INSERT INTO keyless VALUES (5)', 'DELETE FROM keyless LIMIT 1']),
  ]
}

/** mulberry32: the same writes at every run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}
