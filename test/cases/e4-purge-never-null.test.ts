import { describe, expect, it } from 'vitest'
import { erase, type PurgeOptions, purge } from '../../src/erase/erase.ts'
import { type EraseTarget, onMysql, onPostgres, onSqlite } from '../erase/targets.ts'
import { describeOn, oneOfEach } from '../support/servers.ts'
import { describeSqlite } from '../support/sqlite.ts'

const HOUR = 3_600_000
const EPOCH = '1970-01-01 00:00:00'

/** Row 1 was never marked, row 2 long ago. */
const schemaWith = (time: string) => [
  `CREATE TABLE timed (id int PRIMARY KEY, d ${time} DEFAULT '${EPOCH}' NOT NULL)`,
  'CREATE TABLE counted (id int PRIMARY KEY, n bigint DEFAULT 0 NOT NULL)',
  'CREATE TABLE flagged (id int PRIMARY KEY, flag boolean)',
  "CREATE TABLE named (id int PRIMARY KEY, state varchar(20) DEFAULT 'active' NOT NULL)",
  `CREATE TABLE preset (id int PRIMARY KEY, since ${time} NULL DEFAULT '${EPOCH}', ended ${time} DEFAULT NULL)`,
  `INSERT INTO preset VALUES (1, '${EPOCH}', NULL), (2, '2020-01-01 00:00:00', '2020-01-01 00:00:00'), (3, NULL, NULL)`,
  `INSERT INTO timed VALUES (1, '${EPOCH}'), (2, '2020-01-01 00:00:00')`,
  'INSERT INTO counted VALUES (1, 0), (2, 1577836800)',
  'INSERT INTO flagged VALUES (1, false), (2, true)',
  "INSERT INTO named VALUES (1, 'active'), (2, 'gone'), (3, 'sold')",
]

function cases(time: string, open: () => Promise<EraseTarget> | EraseTarget): void {
  const left = async (target: EraseTarget, table: string) =>
    (await target.select(table)).map(({ id }) => Number(id)).sort()

  it('refuses a column that never is NULL, however the rows are asked for, and keeps every row', async () => {
    await using target = await open()
    for (const statement of schemaWith(time)) await target.run(statement)
    const context = await target.context()
    const asked: PurgeOptions[] = [
      { column: 'd' },
      ...[HOUR, new Date(), '2026-01-01'].map((olderThan) => ({ column: 'd', olderThan })),
      { column: 'n' },
      { column: 'flag' },
      ...[HOUR, undefined].map((olderThan) => ({ column: 'since', ...(olderThan && { olderThan }) })),
      { column: 'state' },
    ]
    for (const options of asked) {
      await expect(purge(context, options), JSON.stringify(options)).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringMatching(/which rows are marked\?/),
      })
    }
    for (const table of ['timed', 'counted', 'flagged']) expect(await left(target, table)).toEqual([1, 2])
    expect(await left(target, 'preset')).toEqual([1, 2, 3])
  })

  it('takes NULL for unmarked where it is the default, and both if `live` says so', async () => {
    await using target = await open()
    for (const statement of schemaWith(time)) await target.run(statement)
    const context = await target.context()
    const live = [EPOCH, null]
    expect(await purge(context, { column: 'ended', olderThan: HOUR, dryRun: true })).toMatchObject({
      rows: 1,
    })
    expect(await purge(context, { column: 'since', olderThan: HOUR, live })).toMatchObject({ rows: 1 })
    expect(await left(target, 'preset')).toEqual([1, 3])
  })

  it('marks no rows of a column whose default is not NULL, unless `live` is given', async () => {
    await using target = await open()
    for (const statement of schemaWith(time)) await target.run(statement)
    const context = await target.context()
    const softDelete = { column: 'since', value: '2021-01-01 00:00:00' }
    await expect(erase(context, 'preset', [1, 3], { softDelete })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/since has the default .*which rows are not marked yet\?/s),
    })
    const known = { ...softDelete, live: [EPOCH, null] }
    expect(await erase(context, 'preset', [1, 2, 3], { softDelete: known })).toMatchObject({ rows: 2 })
  })

  it('keeps the rows that have a value of `live`', async () => {
    await using target = await open()
    for (const statement of schemaWith(time)) await target.run(statement)
    const context = await target.context()
    for (const olderThan of [HOUR, '2026-01-01', undefined]) {
      const options = { column: 'd', live: EPOCH, ...(olderThan !== undefined && { olderThan }) }
      expect(await purge(context, { ...options, dryRun: true })).toMatchObject({ rows: 1 })
    }
    expect(await purge(context, { column: 'd', olderThan: HOUR, live: '1970-01-01' })).toMatchObject({
      rows: 1,
    })
    expect(await left(target, 'timed')).toEqual([1])
    expect(await purge(context, { column: 'n', live: 0 })).toMatchObject({ rows: 1 })
    expect(await left(target, 'counted')).toEqual([1])
    expect(await purge(context, { column: 'flag', value: true })).toMatchObject({ rows: 1 })
    expect(await left(target, 'flagged')).toEqual([1])
    expect(await purge(context, { column: 'state', live: ['active', 'sold'] })).toMatchObject({ rows: 1 })
    expect(await left(target, 'named')).toEqual([1, 3])
    await expect(purge(context, { column: 'state', live: 'active', value: 'sold' })).rejects.toThrow(
      /cannot be combined/,
    )
  })
}

for (const { id } of oneOfEach) {
  describeOn(id, (server) =>
    server.engine === 'postgres'
      ? cases('timestamp', () => onPostgres(server))
      : cases('datetime', () => onMysql(server)),
  )
}

describe('SQLite', () => describeSqlite(({ open }) => cases('datetime', () => onSqlite(open))))
