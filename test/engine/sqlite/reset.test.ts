import { afterEach, beforeEach, expect, it } from 'vitest'
import { sqlite } from '../../../src/engine/sqlite/index.ts'
import { AfreshError, ResetError } from '../../../src/errors.ts'
import { describeSqlite, type SqliteHandle } from '../../support/sqlite.ts'
import { type Bench, benchOf, dumpOf, NASTY, ROWS, rowsOf } from './nasty.ts'

async function failureOf(promise: Promise<unknown>): Promise<AfreshError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof AfreshError)) throw new Error(`no AfreshError: ${String(error)}`, { cause: error })
  return error
}

describeSqlite(({ open }) => {
  let client: SqliteHandle
  let bench: Bench
  beforeEach(async () => {
    client = open(':memory:')
    client.exec(NASTY)
    client.exec(ROWS)
    bench = await benchOf(client, { keep: ['kept'] })
  })
  afterEach(() => client.close())

  it('does nothing after a test without writes, and scans after a test that rolled back', async () => {
    expect(await bench.resetter.reset()).toMatchObject({ detector: 'counters', dirty: [], ran: [] })
    client.exec(`BEGIN; DELETE FROM heap; ROLLBACK`)
    expect(await bench.resetter.reset()).toMatchObject({ detector: 'scan', dirty: [], ran: [] })
    expect((await bench.resetter.reset()).detector).toBe('counters')
  })

  it('names what was dirty and runs only the steps for it', async () => {
    client.exec(`INSERT INTO never_used (v) VALUES (1), (2)`)
    const { dirty, ran } = await bench.resetter.reset()
    expect(dirty).toEqual(['table:never_used', 'sequence:never_used'])
    expect(ran.map(({ step, rows }) => [bench.plan.steps[step]?.kind, rows])).toEqual([
      ['delete', 2],
      ['restart', undefined],
    ])
    expect((await bench.resetter.reset()).detector).toBe('counters')
  })

  it('detects a counter that moved although no row changed', async () => {
    client.exec(`INSERT OR IGNORE INTO moved_on (v) VALUES ('b')`)
    expect((await bench.resetter.reset()).dirty).toEqual(['sequence:moved_on'])
    expect(await bench.resetter.detect()).toEqual([])
  })

  it.each([
    `UPDATE heap SET x = 1.0 WHERE typeof(x) = 'integer' AND rowid = 1`,
    `UPDATE heap SET x = '1' WHERE rowid = 1`,
    `UPDATE heap SET t = 'A' WHERE rowid = 1`,
    `UPDATE heap SET x = NULL WHERE rowid = 1`,
    `UPDATE heap SET t = CAST(t AS BLOB) WHERE rowid = 3`,
    `UPDATE heap SET t = char(0) || 'c' WHERE rowid = 5`,
    `UPDATE heap SET n = 9007199254740992 WHERE rowid = 5`,
    `UPDATE heap SET x = 9223372036854775806 WHERE rowid = 7`,
    `DELETE FROM heap WHERE rowid = 2`,
    `INSERT INTO heap SELECT * FROM heap WHERE rowid = 1`,
    `UPDATE keyed SET lang = 'EN' WHERE lang = 'en'`,
    `UPDATE keyed SET code = 1.0 WHERE typeof(code) = 'integer'`,
    `UPDATE strictly SET whatever = x'32' WHERE id = 3`,
    `UPDATE disguised SET v = 4 WHERE _rowid_ = 1`,
    `UPDATE place SET label = 'there' WHERE id = 1`,
    `UPDATE note SET body = '1' WHERE rowid = 3`,
    `DELETE FROM found WHERE rowid = 1`,
    `INSERT INTO hollow (rowid, word) VALUES (1, 'x')`,
  ])('detects and reverts: %s', async (sql) => {
    const baseline = dumpOf(client)
    client.exec(sql)
    expect(await bench.resetter.detect()).not.toEqual([])
    await bench.resetter.reset()
    expect(dumpOf(client)).toEqual(baseline)
  })

  it('leaves kept tables, temporary tables and attached databases alone', async () => {
    client.exec(`ATTACH ':memory:' AS aside; CREATE TABLE aside.heap (x); INSERT INTO aside.heap VALUES (1)`)
    client.exec(
      `INSERT INTO temp.plainly VALUES ('t'); INSERT INTO kept (v) VALUES ('new'); UPDATE kept SET v = 'changed'`,
    )
    client.exec(`DELETE FROM main.plainly; DELETE FROM main.heap`)
    const { dirty } = await bench.resetter.reset()
    expect([...dirty].sort()).toEqual(['table:heap', 'table:plainly', 'table:audit'].sort())
    expect(rowsOf(client, `SELECT id, v FROM kept`)).toHaveLength(2)
    expect(rowsOf(client, `SELECT seq FROM sqlite_sequence WHERE name = 'kept' AND seq = 2`)).toHaveLength(1)
    expect(rowsOf(client, `SELECT * FROM temp.plainly`)).toHaveLength(1)
    expect(rowsOf(client, `SELECT * FROM aside.heap`)).toHaveLength(1)
  })

  it('refuses while a transaction of the test is open, and leaves it open', async () => {
    client.exec(`BEGIN; DELETE FROM heap`)
    const error = await failureOf(bench.resetter.reset())
    expect(error).toMatchObject({ code: 'blocked' })
    expect(error.message).toContain('transaction is still open')
    client.exec('ROLLBACK')
    expect(rowsOf(client, 'SELECT 1 FROM heap')).toHaveLength(7)
    expect((await bench.resetter.reset()).dirty).toEqual([])
  })

  it('keeps the settings of the connection, and restores those that decide what a statement does', async () => {
    client.exec('PRAGMA busy_timeout = 77')
    const baseline = dumpOf(client)
    client.exec('PRAGMA foreign_keys = OFF; DELETE FROM document')
    await bench.resetter.reset()
    expect(dumpOf(client)).toEqual(baseline)
  })

  it('fails if the schema changed, and names the changes', async () => {
    client.exec('CREATE TABLE left_behind (x); INSERT INTO heap (x) VALUES (5); DROP VIEW big')
    const error = await failureOf(bench.resetter.reset())
    expect(error.code).toBe('plan')
    expect(error.message).toContain('table left_behind is new')
    expect(error.message).toContain('view big is gone')
    expect(rowsOf(client, 'PRAGMA foreign_keys')).toEqual([{ foreign_keys: 1 }])
  })

  it('works again after a schema change was reverted', async () => {
    client.exec('CREATE TABLE passing (x); INSERT INTO heap (x) VALUES (5); DROP TABLE passing')
    expect((await bench.resetter.reset()).dirty).toEqual(['table:heap'])
  })

  it('reports that the copies of the baseline are gone', async () => {
    client.exec(`PRAGMA temp_store = MEMORY; DELETE FROM heap`)
    const error = await failureOf(bench.resetter.reset())
    expect(error).toMatchObject({ code: 'server' })
    expect(error.message).toContain('The baseline of this handle is lost')
    expect(rowsOf(client, 'SELECT 1 FROM heap')).toHaveLength(1)
  })

  it('removes its copies on close, and supports two baselines on one handle', async () => {
    const second = await benchOf(client, { keep: ['kept'] })
    await bench.resetter.close()
    client.exec('DELETE FROM document')
    expect((await second.resetter.reset()).dirty).toContain('table:document')
    expect(rowsOf(client, 'SELECT * FROM document')).toHaveLength(2)
    await second.resetter.close()
    expect(rowsOf(client, `SELECT name FROM temp.sqlite_master WHERE name LIKE 'afresh%'`)).toEqual([])
  })

  it('leaves sequences alone with sequences "keep"', async () => {
    const keeping = await benchOf(client, { keep: ['kept'], sequences: 'keep' })
    client.exec('INSERT INTO never_used DEFAULT VALUES')
    expect((await keeping.resetter.reset()).dirty).toEqual(['table:never_used'])
    expect(rowsOf(client, `INSERT INTO never_used DEFAULT VALUES RETURNING id`)).toEqual([{ id: 2 }])
  })

  it('refuses a baseline that cannot be restored', async () => {
    client.exec(`INSERT INTO hollow (rowid, word) VALUES (1, 'x')`)
    const hollow = await failureOf(benchOf(client))
    expect(hollow.code).toBe('plan')
    expect(hollow.message).toContain('"hollow" is a contentless full-text index')
    await expect(benchOf(client, { keep: ['hollow'] })).resolves.toBeDefined()
    client.exec(`DELETE FROM found WHERE rowid = 1`)
    const found = await failureOf(benchOf(client, { keep: ['hollow'] }))
    expect(found.message).toContain('does not match the rows that it indexes: "found"')
  })

  it('renders the SQL of every step', async () => {
    const rendered = sqlite.render(bench.schema, bench.plan)
    expect(rendered).toHaveLength(bench.plan.steps.length)
    expect(rendered).toContain('DELETE FROM main."never_used"')
  })
})

describeSqlite(({ open }) => {
  it('a failing step leaves everything unchanged, and the next reset works', async () => {
    const client = open(':memory:')
    client.exec(`CREATE TABLE p (id INTEGER PRIMARY KEY AUTOINCREMENT); CREATE TABLE log (n);
      CREATE TABLE other (id INTEGER PRIMARY KEY);
      CREATE TABLE kept (id INTEGER PRIMARY KEY, p REFERENCES p);
      CREATE TRIGGER gone AFTER DELETE ON p BEGIN INSERT INTO log VALUES (old.id); END;
      INSERT INTO p VALUES (1); INSERT INTO kept VALUES (1, 1)`)
    const { resetter } = await benchOf(client, { keep: ['kept'] })
    client.exec(`INSERT INTO p VALUES (7); INSERT INTO other VALUES (1); INSERT INTO kept VALUES (2, 7)`)
    const definitions = rowsOf(client, `SELECT sql FROM sqlite_master`)

    const error = await failureOf(resetter.reset())
    expect(error).toBeInstanceOf(ResetError)
    expect(error.message).toMatch(
      /step: +check the references of kept to p[\s\S]*1 kept rows refer to rows that are gone/,
    )
    expect(rowsOf(client, 'SELECT id FROM p')).toHaveLength(2)
    expect(rowsOf(client, 'SELECT id FROM other')).toHaveLength(1)
    expect(rowsOf(client, 'SELECT n FROM log')).toEqual([])
    expect(rowsOf(client, 'PRAGMA foreign_keys')).toEqual([{ foreign_keys: 1 }])
    expect(rowsOf(client, `SELECT sql FROM sqlite_master`)).toEqual(definitions)

    client.exec('DELETE FROM kept WHERE id = 2')
    const { dirty } = await resetter.reset()
    expect([...dirty].sort()).toEqual(['sequence:p', 'table:other', 'table:p'])
    expect(rowsOf(client, 'INSERT INTO p DEFAULT VALUES RETURNING id')).toEqual([{ id: 2 }])
    client.close()
  })

  it.each(['CASCADE', 'RESTRICT', 'SET NULL', 'NO ACTION'])(
    'empties a chain of tables, ON DELETE %s',
    async (action) => {
      const client = open(':memory:')
      client.exec(`CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (id INTEGER PRIMARY KEY, a NOT NULL REFERENCES a ON DELETE ${action});
      CREATE TABLE c (id INTEGER PRIMARY KEY, b NOT NULL REFERENCES b ON DELETE ${action})`)
      const { resetter } = await benchOf(client)
      client.exec('INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (1, 2); INSERT INTO c VALUES (1, 1)')
      expect((await resetter.reset()).ran.map(({ rows }) => rows)).toEqual([1, 1, 2])
      expect(await resetter.detect()).toEqual([])
      client.close()
    },
  )

  it('restores a baseline row without a parent after a test inserted that parent', async () => {
    const client = open(':memory:')
    client.exec(`PRAGMA foreign_keys = OFF; CREATE TABLE a (id INTEGER PRIMARY KEY);
      CREATE TABLE b (id INTEGER PRIMARY KEY, a REFERENCES a ON DELETE CASCADE); INSERT INTO b VALUES (1, 9);
      PRAGMA foreign_keys = ON`)
    const { resetter } = await benchOf(client)
    client.exec('INSERT INTO a VALUES (9)')
    expect((await resetter.reset()).dirty).toEqual(['table:a'])
    expect(rowsOf(client, 'SELECT * FROM b')).toEqual([{ id: 1, a: 9 }])
    client.close()
  })

  it('names the cause when a test left a query unfinished', async () => {
    const client = open(':memory:')
    client.exec('CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (x); INSERT INTO a VALUES (1), (2)')
    const { resetter } = await benchOf(client)
    client.exec('DELETE FROM a WHERE id = 1')
    const statement = client.prepare('INSERT INTO b VALUES (1), (2) RETURNING x')
    const rows = statement.iterate()
    rows.next()
    expect((await failureOf(resetter.reset())).code).toBe('blocked')
    rows.return?.()
    await resetter.reset()
    expect(rowsOf(client, 'SELECT (SELECT count(*) FROM a) AS a, (SELECT count(*) FROM b) AS b')).toEqual([
      { a: 2, b: 0 },
    ])
    client.close()
  })

  it('reverts what is written at any moment of a reset', async () => {
    const client = open(':memory:')
    client.exec(
      'CREATE TABLE a (x); CREATE TABLE b (x REFERENCES c); CREATE TABLE c (id INTEGER PRIMARY KEY)',
    )
    client.exec('INSERT INTO c VALUES (1), (2)')
    const { resetter } = await benchOf(client)
    for (const first of ['INSERT INTO a VALUES (1)', 'DELETE FROM c']) {
      for (let moment = 0; moment < 15; moment += 1) {
        client.exec(first)
        const reset = resetter.reset()
        for (let turn = 0; turn < moment; turn += 1) await undefined
        client.exec('INSERT OR IGNORE INTO c VALUES (1); INSERT INTO b VALUES (1)')
        await reset
        await resetter.reset()
        expect(rowsOf(client, 'SELECT (SELECT count(*) FROM a) AS a, (SELECT count(*) FROM b) AS b')).toEqual(
          [{ a: 0, b: 0 }],
        )
        expect(rowsOf(client, 'SELECT id FROM c')).toEqual([{ id: 1 }, { id: 2 }])
      }
    }
    client.close()
  })

  it('accepts a handle that the user closed first', async () => {
    const client = open(':memory:')
    client.exec('CREATE TABLE a (x); INSERT INTO a VALUES (1)')
    const { resetter } = await benchOf(client)
    client.close()
    await resetter.close()
  })
})
