import { describe, expect, it } from 'vitest'
import { attach } from '../../src/index.ts'
import { describeSqlite } from '../support/sqlite.ts'

const SCHEMA =
  'CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, v); INSERT INTO t (v) VALUES (1); CREATE TABLE e (id INTEGER PRIMARY KEY, v)'

describeSqlite(({ open }) => {
  const opened = (before = '') => {
    const handle = open(':memory:')
    handle.exec(`${SCHEMA}; ${before}`)
    return handle
  }
  type Handle = ReturnType<typeof opened>
  const temporary = (handle: Handle) =>
    handle.prepare("SELECT name FROM temp.sqlite_master WHERE name NOT LIKE '%afresh:%'").all()

  describe('temporary objects that a test left', () => {
    it.each([
      ['trigger', 'x', 'CREATE TEMP TRIGGER x AFTER INSERT ON e BEGIN UPDATE e SET v = 777; END'],
      [
        'trigger',
        'x',
        'CREATE TEMP TRIGGER x BEFORE DELETE ON e BEGIN SELECT RAISE(IGNORE); END; INSERT INTO e VALUES (1, 1)',
      ],
      ['table', 't', 'CREATE TEMP TABLE t (id, v); INSERT INTO temp.t VALUES (9, 9)'],
      ['table', 't', 'CREATE TEMP TABLE t (id, v); CREATE INDEX temp.i ON t (v); DELETE FROM main.t'],
      ['table', 't', 'CREATE VIRTUAL TABLE temp.t USING fts5(v)'],
      ['view', 't', 'CREATE TEMP VIEW t AS SELECT 5 AS id, 5 AS v'],
      ['view', 't"x', 'CREATE TEMP VIEW "t""x" AS SELECT * FROM t; CREATE TEMP TABLE "a b" (v)'],
    ])('a %s is dropped, and named: %s', async (kind, name, sql) => {
      const handle = opened()
      const database = await attach(handle)
      for (let round = 1; round <= 2; round++) {
        handle.exec(sql)
        const { notes } = await database.reset()
        expect(notes).toContainEqual(expect.stringContaining(`The temporary ${kind} "${name}" was dropped`))
        expect(temporary(handle)).toEqual([])
        expect((await database.reset()).notes).toEqual([])
        handle.exec('INSERT INTO e VALUES (1, 1)')
        expect(handle.prepare('SELECT v FROM e').all()).toEqual([{ v: 1 }])
        expect(handle.prepare('SELECT id, v FROM t').all()).toEqual([{ id: 1, v: 1 }])
        await database.reset()
      }
      await database.release()
    })

    it('those of the baseline stay; a trigger or a view that a test dropped or changed is created again', async () => {
      const handle = opened(
        'CREATE TEMP TABLE mine (v); CREATE TEMP VIEW seen AS SELECT 1 AS v; CREATE TEMP TRIGGER x AFTER INSERT ON e BEGIN INSERT INTO mine VALUES (NEW.id); END',
      )
      const database = await attach(handle)
      const before = handle.prepare('SELECT type, name, sql FROM temp.sqlite_master ORDER BY 1, 2').all()
      expect((await database.reset()).notes).toEqual([])
      handle.exec(
        'DROP TRIGGER x; DROP VIEW seen; CREATE TEMP VIEW seen AS SELECT 2 AS v; CREATE TEMP TABLE new (v)',
      )
      expect((await database.reset()).notes).toHaveLength(3)
      expect(handle.prepare('SELECT type, name, sql FROM temp.sqlite_master ORDER BY 1, 2').all()).toEqual(
        before,
      )
      handle.exec('DROP TABLE mine')
      await expect(database.reset()).rejects.toThrow(/table "mine".*\n.*Restore them in the test/s)
      await database.release()
    })
  })

  it.each([
    'PRAGMA temp_store = MEMORY',
    'PRAGMA temp_store = FILE',
    'PRAGMA temp_store = MEMORY; DELETE FROM t',
    'DROP TABLE temp.BASELINE',
    'DROP TABLE temp.BASELINE; DELETE FROM t',
  ])('says that the baseline is lost after %s', async (sql) => {
    const handle = opened()
    const database = await attach(handle)
    const copies = handle.prepare("SELECT name FROM temp.sqlite_master WHERE type = 'table'").all() as {
      name: string
    }[]
    expect(copies).toHaveLength(1)
    handle.exec(sql.replace('BASELINE', `"${copies[0]?.name}"`))
    for (let round = 1; round <= 2; round++) {
      await expect(database.reset()).rejects.toMatchObject({
        code: 'server',
        message: expect.stringMatching(/baseline of this handle is lost.*temp_store.*\n.*attach again/s),
      })
    }
    await database.release()
    handle.exec('DELETE FROM t; DELETE FROM sqlite_sequence; INSERT INTO t (v) VALUES (1)')
    const again = await attach(handle)
    handle.exec('DELETE FROM t')
    expect((await again.reset()).dirty).toEqual(['t'])
    await again.release()
  })

  it.each([
    ['user_version', 7, 9],
    ['application_id', 0, 5],
    ['foreign_keys', 1, 0],
    ['foreign_keys', 0, 1],
    ['ignore_check_constraints', 0, 1],
    ['recursive_triggers', 0, 1],
    ['reverse_unordered_selects', 0, 1],
    ['read_uncommitted', 0, 1],
    ['legacy_alter_table', 0, 1],
    ['trusted_schema', 1, 0],
    ['max_page_count', 1000, 500],
  ])('restores PRAGMA %s, and says so', async (name, before, after) => {
    const handle = opened(`PRAGMA ${name} = ${before}`)
    const database = await attach(handle)
    for (const write of ['', '; INSERT INTO e VALUES (1, 1)']) {
      handle.exec(`PRAGMA ${name} = ${after}${write}`)
      const report = await database.reset()
      expect(report.notes).toEqual([
        expect.stringMatching(`PRAGMA ${name} was ${after}, and is ${before} again`),
      ])
      expect(handle.prepare(`PRAGMA ${name}`).all()).toEqual([{ [name]: before }])
      expect((await database.reset()).notes).toEqual([])
    }
    await database.release()
  })

  it.each([
    ['trigger tr', 'is gone', 'DROP TRIGGER tr'],
    ['trigger more', 'is new', 'CREATE TRIGGER more AFTER UPDATE ON t BEGIN SELECT 1; END'],
    ['index ix', 'is gone', 'DROP INDEX ix'],
    ['table t', 'has changed', 'ALTER TABLE t ADD COLUMN w'],
    ['table e', 'is gone', 'ALTER TABLE e RENAME TO f'],
    ['view w', 'is new', 'CREATE VIEW w AS SELECT 1'],
  ])('verify() names a changed definition: %s %s', async (subject, difference, sql) => {
    const handle = opened('CREATE INDEX ix ON e (v); CREATE TRIGGER tr AFTER DELETE ON e BEGIN SELECT 1; END')
    const database = await attach(handle)
    expect(await database.verify()).toEqual([])
    handle.exec(sql)
    expect(await database.verify()).toContainEqual({ subject, difference })
    await database.release()
  })

  it('restores names of columns and how LIKE compares, where this build has the pragmas', async () => {
    const handle = opened()
    const database = await attach(handle)
    const read = () => handle.prepare("SELECT 'a' LIKE 'A' AS alike, t.v FROM t").all()
    const before = read()
    handle.exec('PRAGMA case_sensitive_like = 1; PRAGMA full_column_names = 1; PRAGMA short_column_names = 0')
    await database.reset()
    expect(read()).toEqual(before)
    expect(await database.verify()).toEqual([])
    await database.release()
  })
})
