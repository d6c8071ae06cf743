import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Connection } from '../../../src/engine/connection.ts'
import { AfreshError } from '../../../src/errors.ts'
import { eventually } from '../../support/eventually.ts'
import { describeOn, type ServerAtHand } from '../../support/servers.ts'
import { describeVariant } from '../../support/variant-server.ts'
import { Bench } from './support.ts'
import { FAMILY, watched } from './watched.ts'

const tests = (server: ServerAtHand) => {
  let bench: Bench
  beforeAll(async () => {
    bench = await Bench.on(server)
  })
  afterAll(() => bench.close())

  it('falls back to a scan while instrumentation is disabled, and recovers', async () => {
    const { name, resetter, writer } = await watched(bench)
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
      await writer.query('INSERT INTO bare (v) VALUES (1)')
    } finally {
      await instrument('YES')
    }
    // The table was opened while counting was disabled.
    await writer.query('FLUSH TABLES')
    expect(await resetter.reset()).toMatchObject({
      detector: 'scan',
      dirty: expect.arrayContaining(['`bare`']),
    })
    expect(await resetter.detect('scan')).toEqual([])
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

  it('is not used where some writes are not counted', async () => {
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

  it('leaves nothing behind, and removes what an interrupted session left', async () => {
    const { connection, name } = await bench.database(FAMILY)
    const { detectors, ...others } = await storeOn(bench)
    const ours = async () =>
      (await bench.admin.query(`SELECT id FROM ${detectors} WHERE database_name = '${name}'`)).length
    const stray = async () => {
      const [row] = await bench.admin.query(
        `SELECT COUNT(*) AS n FROM (${Object.values(others)
          .map((table) => `SELECT detector FROM ${table}`)
          .join(' UNION ALL ')}) AS a WHERE detector NOT IN (SELECT id FROM ${detectors})`,
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

  it('finds every table with a small group_concat_max_len', async () => {
    const names = Array.from({ length: 40 }, (_, n) => `t${n}`)
    const { connection, name } = await bench.database(
      names.map((name) => `CREATE TABLE ${name} (id INT AUTO_INCREMENT PRIMARY KEY, v INT);`).join('\n'),
    )
    const { resetter } = await bench.prepare(connection, undefined, { detector: 'counters' })
    await connection.query('SET group_concat_max_len = 64')
    const writer = await bench.connect(name)
    for (const write of [
      'INSERT INTO %s (v) VALUES (1)',
      'ALTER TABLE %s AUTO_INCREMENT = 500',
      'INSERT INTO %s (id) VALUES (1); TRUNCATE TABLE %s',
    ]) {
      await writer.query(names.map((name) => write.replaceAll('%s', name)).join('; '))
      await resetter.reset()
      expect(await resetter.detect('scan'), write).toEqual([])
    }
    expect(await connection.query('SELECT @@group_concat_max_len AS n, @afresh_long AS kept')).toEqual([
      { n: expect.anything(), kept: null },
    ])
    const [row] = await connection.query('SELECT @@group_concat_max_len AS n')
    expect(Number(row?.n)).toBe(64)
    await connection.query('DELETE FROM afresh_registry.marks WHERE database_name = DATABASE()')
    await expect(resetter.reset()).rejects.toMatchObject({ code: 'refused' })
    const [after] = await connection.query('SELECT @@group_concat_max_len AS n')
    expect(Number(after?.n)).toBe(64)
    await resetter.close()
  })

  it('works on an adopted database, whose mark is a table in it', async () => {
    const { resetter, writer } = await watched(bench, FAMILY, `handed_${process.pid}_${server.engine}`)
    await writer.query('DELETE FROM leaf')
    expect(await resetter.reset()).toMatchObject({ detector: 'counters', dirty: ['`leaf`'] })
    expect(await resetter.reset()).toMatchObject({ detector: 'counters', dirty: [] })
    await resetter.close()
  })

  it('leaves the session settings unchanged', async () => {
    const { connection } = await bench.database(FAMILY)
    const kept = 'SELECT @@max_heap_table_size, @@group_concat_max_len'
    await connection.query('SET max_heap_table_size = 1048576')
    const before = await connection.query(kept)
    const { resetter } = await bench.prepare(connection, undefined, { detector: 'counters' })
    await resetter.reset()
    expect(await connection.query(kept)).toEqual(before)
    await resetter.close()
  })

  it('falls back to a scan when the server has no room for its snapshot', async () => {
    const { connection } = await bench.database(FAMILY)
    await (await bench.prepare(connection, undefined, { detector: 'counters' })).resetter.close()
    const { seen } = await storeOn(bench)
    const room = (bytes: number | string) =>
      bench.admin.query(
        `SET max_heap_table_size = ${bytes}; ALTER TABLE ${seen} ENGINE = MEMORY; SET max_heap_table_size = DEFAULT`,
      )
    const many = await bench.database(
      Array.from({ length: 200 }, (_, n) => `CREATE TABLE t${n} (id INT);`).join('\n'),
    )
    await room(16_384)
    try {
      const { resetter } = await bench.prepare(many.connection, undefined)
      await many.connection.query('INSERT INTO t7 VALUES (1)')
      expect(await resetter.reset()).toMatchObject({
        detector: 'scan',
        why: expect.stringMatching(/nothing can be kept.*is full/),
        dirty: ['`t7`'],
      })
      await resetter.close()
      await expect(bench.prepare(many.connection, undefined, { detector: 'counters' })).rejects.toMatchObject(
        { code: 'usage', message: expect.stringContaining('is full') },
      )
    } finally {
      await room(268_435_456)
    }
  })

  it('drops the baseline copy even if its own records are gone, and reports what is gone', async () => {
    const { connection, resetter, writer } = await watched(
      bench,
      FAMILY,
      `dropped_${process.pid}_${server.engine}`,
    )
    const { detectors } = await storeOn(bench)
    const [row] = await connection.query('SELECT CONNECTION_ID() AS id')
    const copies = async () =>
      bench.admin.query(`SELECT schema_name FROM information_schema.schemata
          WHERE schema_name LIKE 'afresh\\_baseline\\_%\\_${row?.id}'`)
    expect(await copies()).toHaveLength(1)
    await writer.query('DELETE FROM leaf')
    await bench.admin.query(`DROP TABLE ${detectors}`)
    await expect(resetter.reset()).rejects.toMatchObject({
      code: 'server',
      message: expect.stringContaining('afresh_registry'),
    })
    await expect(resetter.close()).rejects.toThrow(/detectors/)
    expect(await copies()).toEqual([])
  })

  it('drops what another version left and no session uses', async () => {
    const { connection } = await bench.database(FAMILY)
    const routineNamed = (kind: string, digest: string) => `afresh_registry.${kind}_${digest.repeat(12)}`
    const [own] = await bench.admin.query('SELECT CONNECTION_ID() AS id')
    for (const digest of ['0', '1'])
      await bench.admin.query(`CREATE TABLE ${routineNamed('detectors', digest)} (owner BIGINT); CREATE TABLE ${routineNamed('seen', digest)} (n INT);
          CREATE PROCEDURE ${routineNamed('reset', digest)} () DO 1`)
    await bench.admin.query(`INSERT INTO ${routineNamed('detectors', '1')} VALUES (${own?.id})`)
    const left = async () =>
      (
        await bench.admin.query(`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'afresh_registry'
            UNION ALL SELECT routine_name FROM information_schema.routines WHERE routine_schema = 'afresh_registry'`)
      )
        .map(({ name }) => String(name))
        .filter((name) => /_(0|1){12}$/.test(name))
        .sort()
    const used = ['detectors_111111111111', 'reset_111111111111', 'seen_111111111111']
    await (await bench.prepare(connection, undefined, { detector: 'counters' })).resetter.close()
    expect(await left()).toEqual(used)
    await bench.admin.query(`DELETE FROM ${routineNamed('detectors', '1')}`)
    await (await bench.prepare(connection, undefined, { detector: 'counters' })).resetter.close()
    expect(await left()).toEqual([])
  })
}

describe('the counter detector', () => describeOn('mysql:9.7', tests))
await describeVariant('mariadb:11.8-counted', tests)

/** The tables that prepared resets keep on the server, by kind. */
async function storeOn(bench: Bench) {
  const rows = await bench.admin.query(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'afresh_registry'",
  )
  const named = (kind: string) => {
    const names = rows.map(({ name }) => String(name)).filter((name) => name.startsWith(`${kind}_`))
    expect(names, kind).toHaveLength(1)
    return `afresh_registry.${names[0]}`
  }
  return {
    detectors: named('detectors'),
    seen: named('seen'),
    steps: named('steps'),
    cascades: named('cascades'),
  }
}

async function sessionsAreGone(bench: Bench, name: string, except: Connection): Promise<void> {
  const [own] = await except.query('SELECT CONNECTION_ID() AS id')
  await eventually(async () => {
    const left = await bench.admin.query(
      `SELECT id FROM information_schema.processlist WHERE db = '${name}' AND id <> ${own?.id}`,
    )
    return left.length === 0 || undefined
  })
}
