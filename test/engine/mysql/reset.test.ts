import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Connection } from '../../../src/engine/connection.ts'
import type { Schema } from '../../../src/schema/schema.ts'
import { countingProxy } from './proxy.ts'
import { Bench, onEachServer } from './support.ts'
import { randomFrom, sameContent, writesFor } from './writes.ts'

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

    it('returns to the initial state without a template, and leaves no copy behind', async () => {
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

    it('restores the next ids of the baseline', async () => {
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

    it('detects a change that only an exact comparison finds', async () => {
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

    it('takes one more round trip to repair what a scan found, and one for some triggers', async () => {
      const { name } = await bench.nasty()
      const proxy = await countingProxy(bench.urlOf(name))
      const connection = await bench.engine.connect(proxy.url)
      const { resetter } = await bench.prepare(connection, undefined, { detector: 'scan' })
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
      // Plus one for each trigger on `audited` without BEGIN … END: MySQL would add a semicolon after it to
      // its text.
      expect(proxy.requests()).toBe(bench.engine.name === 'mysql' ? 2 + 3 : 2)
      await resetter.close()
      await connection.close()
      await proxy.close()
    })

    it('gives every table its own id range (spread), again after each reset', async () => {
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

    it.each(['scan', 'counters'] as const)('reports what it did (%s)', async (detector) => {
      const { connection } = await bench.database(
        `CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, v INT); CREATE TABLE b (id INT PRIMARY KEY, v INT);
         CREATE TABLE big (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(100)); INSERT INTO b VALUES (1, 1), (2, 2);`,
      )
      // Restarting the counter separately is expensive here, so that the choice does not depend on close
      // figures.
      const costs = bench.engine.costs && { ...bench.engine.costs.defaults, restart: 100_000 }
      const { program, resetter } = await bench.prepare(connection, undefined, {
        detector,
        strategy: 'auto',
        costs,
      })
      await connection.query('INSERT INTO a (v) VALUES (1), (2); UPDATE b SET v = 3 WHERE id = 2')
      await connection.query("INSERT INTO big (v) VALUES (REPEAT('x', 100))")
      for (let n = 0; n < 13; n += 1) await connection.query('INSERT INTO big (v) SELECT v FROM big')
      const { dirty, ran, detector: used } = await resetter.reset()
      expect(used).toBe(detector)
      expect([...dirty].sort()).toEqual(['`a`', '`b`', '`big`', 'auto_increment `a`', 'auto_increment `big`'])
      const steps = ran.map(({ step, rows, truncated }) => {
        const { kind, ...rest } = program.plan.steps[step] ?? { kind: '' }
        const table = 'table' in rest ? rest.table : 'tables' in rest ? rest.tables[0] : undefined
        return { kind, table, rows, truncated }
      })
      expect(steps).toEqual(
        expect.arrayContaining([
          { kind: 'delete', table: '`a`', rows: undefined, truncated: true },
          { kind: 'delete', table: '`big`', rows: undefined, truncated: true },
          { kind: 'delete-differing', table: '`b`', rows: 1, truncated: false },
          { kind: 'insert-missing', table: '`b`', rows: 1, truncated: false },
        ]),
      )
      expect(steps).toHaveLength(4)
      await resetter.close()
    })

    it('leaves kept tables alone, and counters with sequences "keep"', async () => {
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
    if (!sameContent(await engine.fingerprint(connection, schema), baseline)) changed += 1
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

/** Ignores the trigger's veto, and duplicate keys of a repeated insert. */
function ignoreVeto(error: unknown): void {
  const errno = typeof error === 'object' && error !== null && 'errno' in error ? error.errno : undefined
  if (errno !== 1644 && errno !== 1062) throw error
}
