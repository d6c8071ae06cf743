import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { isMarkOf, newMark } from '../../../src/engine/ownership-mark.ts'
import { sqlite } from '../../../src/engine/sqlite/index.ts'
import { RefusedError } from '../../../src/errors.ts'
import { describeSqlite, type SqliteHandle } from '../../support/sqlite.ts'
import { type Bench, benchOf, rowsOf } from './nasty.ts'

describeSqlite(({ kind, open }) => {
  let folder: string
  let path: string
  let client: SqliteHandle
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'afresh sqlite '))
    path = join(folder, 'app.db')
    client = open(path)
    client.exec(
      `CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, v); INSERT INTO t (v) VALUES ('a'), ('b')`,
    )
  })
  afterEach(() => {
    client.close()
    rmSync(folder, { recursive: true })
  })

  async function marked(lockTimeoutMs?: number): Promise<Bench> {
    const connection = sqlite.wrap(client)
    if (connection === undefined) throw new Error('not recognised')
    await sqlite.ownership.write(connection, newMark(await sqlite.ownership.expected(connection), 'adopted'))
    return benchOf(client, {}, lockTimeoutMs)
  }

  it.each(['DELETE', 'WAL'])('detects what another handle wrote, journal mode %s', async (mode) => {
    client.exec(`PRAGMA journal_mode = ${mode}`)
    const { resetter } = await marked()
    const other = open(path)
    other.exec(`INSERT INTO t (v) VALUES ('c'); UPDATE t SET v = 'A' WHERE id = 1`)
    expect([...(await resetter.reset()).dirty].sort()).toEqual(['sequence:t', 'table:t'])
    expect(rowsOf(other, 'SELECT * FROM t')).toEqual([
      { id: 1, v: 'a' },
      { id: 2, v: 'b' },
    ])
    expect((await resetter.reset()).detector).toBe('counters')
    other.exec(`UPDATE t SET v = 'B' WHERE id = 2`)
    expect((await resetter.reset()).dirty).toEqual(['table:t'])
    other.close()
  })

  it('waits for another handle without blocking the process', async () => {
    const { resetter } = await marked(5_000)
    const other = open(path)
    other.exec(`BEGIN IMMEDIATE; INSERT INTO t (v) VALUES ('c')`)
    const reset = resetter.reset()
    await sleep(60)
    other.exec('COMMIT')
    expect((await reset).dirty).toContain('table:t')
    other.close()
  })

  it.each([
    ['DELETE', 'BEGIN IMMEDIATE'],
    ['WAL', 'BEGIN IMMEDIATE'],
    ['DELETE', 'BEGIN; SELECT * FROM t'],
  ])('times out when another handle keeps its lock (%s, %s)', async (mode, begin) => {
    client.exec(`PRAGMA journal_mode = ${mode}`)
    const { resetter } = await marked(200)
    client.exec(`PRAGMA busy_timeout = 4321; UPDATE t SET v = 'changed'`)
    const other = open(path)
    other.exec(begin)
    const started = performance.now()
    await expect(resetter.reset()).rejects.toMatchObject({
      code: 'blocked',
      message: expect.stringContaining(path),
    })
    expect(performance.now() - started).toBeLessThan(2_000)
    expect(Object.values(rowsOf(client, 'PRAGMA busy_timeout')[0] ?? {})).toEqual([4321])
    expect(rowsOf(client, 'PRAGMA foreign_keys')).toEqual([{ foreign_keys: 1 }])
    other.exec('COMMIT')
    expect((await resetter.reset()).dirty).toEqual(['table:t'])
    other.close()
  })

  it('has its mark next to the file; a copy and a replaced file have no valid one', async () => {
    const { connection } = await marked()
    const mark = await sqlite.ownership.read(connection)
    expect(isMarkOf(mark ?? '', await sqlite.ownership.expected(connection))).toBe(true)
    expect(await sqlite.ownership.isPrivate(connection)).toBe(false)

    copyFileSync(path, join(folder, 'copy.db'))
    copyFileSync(`${path}.afresh`, join(folder, 'copy.db.afresh'))
    const copy = await sqlite.connect(`sqlite:${join(folder, 'copy.db')}`)
    const carried = await sqlite.ownership.read(copy)
    expect(isMarkOf(carried ?? '', await sqlite.ownership.expected(copy))).toBe(false)
    await copy.close()
  })

  it('refuses to reset a file whose mark is gone or that was replaced, and leaves it unchanged', async () => {
    const { resetter } = await marked()
    client.exec(`INSERT INTO t (v) VALUES ('c')`)
    renameSync(`${path}.afresh`, `${path}.aside`)
    await expect(resetter.reset()).rejects.toBeInstanceOf(RefusedError)
    expect(rowsOf(client, 'SELECT * FROM t')).toHaveLength(3)
    renameSync(`${path}.aside`, `${path}.afresh`)
    copyFileSync(path, `${path}.new`)
    renameSync(`${path}.new`, path)
    await expect(resetter.reset()).rejects.toBeInstanceOf(RefusedError)
    const replaced = open(path)
    expect(rowsOf(replaced, 'SELECT * FROM t')).toHaveLength(3)
    replaced.close()
  })

  it('refuses a file without an expected mark', async () => {
    const { resetter } = await benchOf(client)
    await expect(resetter.reset()).rejects.toBeInstanceOf(RefusedError)
  })

  it('opens a file by URL or path, and reports what is wrong with one', async () => {
    for (const url of [
      `sqlite:${path}`,
      `sqlite://${path}`,
      `file:${path}`,
      path,
      `file://${encodeURI(path)}`,
    ]) {
      const connection = await sqlite.connect(url)
      expect(connection).toMatchObject({ url, database: path, owned: true })
      expect(await connection.query('SELECT count(*) AS n FROM t WHERE id > ?', [1])).toEqual([{ n: 1 }])
      await connection.close()
    }
    await expect(sqlite.connect(`sqlite:${path}x`)).rejects.toMatchObject({ code: 'server' })
    writeFileSync(join(folder, 'text.db'), 'no database, but long enough to be looked at as one'.repeat(50))
    await expect(sqlite.connect(join(folder, 'text.db'))).rejects.toMatchObject({ code: 'server' })
  })

  it('runs scripts, reports the failing line, and leaves no transaction open', async () => {
    const connection = sqlite.wrap(client)
    if (connection === undefined) throw new Error('not recognised')
    await connection.script(
      `CREATE TRIGGER up AFTER INSERT ON t BEGIN UPDATE t SET v = v || ';'; END;\nINSERT INTO t (v) VALUES ('c');`,
      'a.sql',
    )
    expect(await connection.query(`SELECT 1 AS one; SELECT v FROM t WHERE id = 3`)).toEqual([{ v: 'c;' }])
    const failing = connection.script(`BEGIN;\nDELETE FROM t;\nSELECT * FROM nowhere;\nCOMMIT;`, 'b.sql')
    await expect(failing).rejects.toMatchObject({
      code: 'baseline',
      message: expect.stringMatching(/^b\.sql:3: no such table/),
    })
    expect(await connection.query(`SELECT count(*) AS n FROM t`)).toEqual([{ n: 3 }])
    expect(connection.owned).toBe(false)
  })

  it('recognizes its own handles and nothing else', () => {
    expect(sqlite.wrap(client)).toBeDefined()
    for (const other of [
      undefined,
      null,
      1,
      {},
      { query() {}, exec() {} },
      { prepare() {}, execute() {}, close() {} },
    ]) {
      expect(sqlite.wrap(other)).toBeUndefined()
    }
    expect(kind).toBeTypeOf('string')
  })
})
