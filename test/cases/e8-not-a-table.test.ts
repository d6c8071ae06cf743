import { describe, expect, it } from 'vitest'
import { erase, purge } from '../../src/erase/erase.ts'
import { type EraseTarget, onMysql, onPostgres, onSqlite } from '../erase/targets.ts'
import { describeOn, oneOfEach } from '../support/servers.ts'
import { describeSqlite } from '../support/sqlite.ts'

const TABLE = ['CREATE TABLE t (id int PRIMARY KEY, n int)', 'INSERT INTO t VALUES (1, 1), (2, 2)']

type Open = () => Promise<EraseTarget> | EraseTarget

async function made(open: Open, statements: readonly string[]): Promise<EraseTarget> {
  const target = await open()
  for (const statement of statements) await target.run(statement)
  return target
}

/** Of every engine; `others` are further objects, with what they are. */
function cases(open: Open, others: Readonly<Record<string, readonly [name: string, kind: string]>>): void {
  const named = { 'CREATE VIEW tv AS SELECT id FROM t': ['tv', 'a view'], ...others } as const

  it.each(Object.entries(named))('says what the name belongs to: %s', async (statement, [name, kind]) => {
    await using target = await made(open, [...TABLE, statement])
    const context = await target.context()
    const isThat = expect.stringContaining(`"${name}" is ${kind}, not a table.`)
    await expect(erase(context, name, { id: 1 })).rejects.toMatchObject({ code: 'usage', message: isThat })
    await expect(purge(context, { column: 'id', value: 1, tables: [name] })).rejects.toMatchObject({
      message: isThat,
    })
    await expect(erase(context, 'tw', { id: 1 })).rejects.toThrow('There is no table "tw".')
  })

  it('says which object has the name of the archive table', async () => {
    await using target = await made(open, [...TABLE, 'CREATE VIEW t_archive AS SELECT 1 AS id'])
    await expect(erase(await target.context(), 't', [1], { archive: true })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/copied to a table t_archive, and t_archive is a view/),
    })
    expect(await target.select('t')).toHaveLength(2)
  })
}

/** `stored` is the definition of a column that is computed. */
function archives(open: Open, stored: string): void {
  it('leaves the generated columns of an archive table to it, and refuses to lose a stored one', async () => {
    const columns = `(id int, n int, g ${stored})`
    await using target = await made(open, [
      `CREATE TABLE t ${columns}`,
      `CREATE TABLE t_archive ${columns}`,
      'INSERT INTO t (id, n) VALUES (1, 1), (2, 2)',
    ])
    expect(await erase(await target.context(), 't', { id: 1 }, { archive: true })).toMatchObject({ rows: 1 })
    expect(await target.select('t_archive')).toMatchObject([{ id: 1, n: 1, g: 2 }])
    await target.run(`CREATE TABLE u (id int, n int, g int)`)
    await target.run(`CREATE TABLE u_archive ${columns}`)
    await expect(erase(await target.context(), 'u', { id: 1 }, { archive: true })).rejects.toThrow(
      /u_archive\.g is generated, and u stores it/,
    )
  })
}

const KEPT_OUT = /1 were deleted\.\n.*A trigger or rule of t_archive may have kept rows out of it: x\./

for (const { id } of oneOfEach) {
  describeOn(id, (server) => {
    if (server.engine !== 'postgres') {
      const open = () => onMysql(server)
      cases(open, server.engine === 'mariadb' ? { 'CREATE SEQUENCE ts': ['ts', 'a sequence'] } : {})
      archives(open, 'int GENERATED ALWAYS AS (n * 2) STORED')
      return
    }
    const open = () => onPostgres(server)
    cases(open, {
      'CREATE SEQUENCE ts': ['ts', 'a sequence'],
      'CREATE TYPE tc AS (a int)': ['tc', 'a composite type'],
      'CREATE INDEX ti ON t (n)': ['ti', 'an index'],
      'CREATE SCHEMA s; CREATE VIEW s.t AS SELECT 1 AS id': ['s.t', 'a view'],
    })
    archives(open, 'int GENERATED ALWAYS AS (n * 2) STORED')

    it('archives into a table made by LIKE … INCLUDING ALL, an identity too', async () => {
      await using target = await made(open, [
        'CREATE TABLE t (id int PRIMARY KEY, i int GENERATED ALWAYS AS IDENTITY, g int GENERATED ALWAYS AS (id * 2) STORED)',
        'INSERT INTO t VALUES (1), (2)',
        'CREATE TABLE t_archive (LIKE t INCLUDING ALL)',
      ])
      expect(await erase(await target.context(), 't', [2], { archive: true })).toMatchObject({ rows: 1 })
      expect(await target.select('t_archive')).toEqual([{ id: 2, i: 2, g: 4 }])
    })

    it.each([
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER x BEFORE INSERT ON t_archive FOR EACH ROW EXECUTE FUNCTION f()",
      'CREATE RULE x AS ON INSERT TO t_archive DO INSTEAD NOTHING',
    ])('names what keeps rows out of the archive table: %s', async (statement) => {
      await using target = await made(open, [...TABLE, 'CREATE TABLE t_archive (id int, n int)', statement])
      await expect(erase(await target.context(), 't', [1], { archive: true })).rejects.toThrow(KEPT_OUT)
      expect(await target.select('t')).toHaveLength(2)
    })
  })
}

describe('SQLite', () =>
  describeSqlite((driver) => {
    const open = () => onSqlite(driver.open)
    cases(open, {
      'CREATE INDEX ti ON t (n)': ['ti', 'an index'],
      'CREATE TEMP TABLE tt (id)': ['tt', 'a temporary table'],
    })
    archives(open, 'int GENERATED ALWAYS AS (n * 2) STORED')

    it('names the trigger that keeps rows out of the archive table', async () => {
      await using target = await made(open, [
        ...TABLE,
        'CREATE TABLE t_archive (id int, n int)',
        'CREATE TRIGGER x BEFORE INSERT ON t_archive BEGIN SELECT RAISE(IGNORE); END',
      ])
      await expect(erase(await target.context(), 't', [1], { archive: true })).rejects.toThrow(KEPT_OUT)
      expect(await target.select('t')).toHaveLength(2)
    })
  }))
