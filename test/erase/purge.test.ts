import { describe, expect, it } from 'vitest'
import { erase, purge } from '../../src/erase/erase.ts'
import { describeOn, engines } from '../support/servers.ts'
import { describeSqlite } from '../support/sqlite.ts'
import { type EraseTarget, onMysql, onPostgres, onSqlite } from './targets.ts'

const SCHEMA = [
  'CREATE TABLE marks (id int PRIMARY KEY, gone timestamp NULL, counted bigint)',
  'CREATE TABLE notes (id int PRIMARY KEY, mark int, gone timestamp NULL, FOREIGN KEY (mark) REFERENCES marks (id))',
  'CREATE TABLE staff (id int PRIMARY KEY, boss int, left_at timestamp NULL, FOREIGN KEY (boss) REFERENCES staff (id))',
  "INSERT INTO marks VALUES (1, '2020-01-01 00:00:00', 1795665600000), (2, NULL, NULL)",
  "INSERT INTO notes VALUES (1, 1, '2020-01-01 00:00:00'), (2, 2, NULL)",
  "INSERT INTO staff VALUES (1, NULL, '2020-01-01 00:00:00'), (2, 1, '2020-01-01 00:00:00')",
]

function cases(open: () => Promise<EraseTarget> | EraseTarget): void {
  const opened = async (body: (target: EraseTarget) => Promise<void>) => {
    await using target = await open()
    for (const sql of SCHEMA) await target.run(sql)
    await body(target)
  }

  it('leaves its archive tables alone unless they are named', () =>
    opened(async (target) => {
      const options = { column: 'gone', archive: true } as const
      expect(await purge(await target.context(), options)).toMatchObject({ rows: 2 })
      expect(await purge(await target.context(), options)).toMatchObject({ rows: 0 })
      expect(await target.select('marks_archive')).toHaveLength(1)
      const named = { column: 'gone', tables: ['marks_archive'] }
      expect(await purge(await target.context(), named)).toMatchObject({ rows: 1 })
    }))

  it('deletes children before parents, also with declared cascades', () =>
    opened(async (target) => {
      for (const dryRun of [true, false]) {
        const report = await purge(await target.context(), { column: 'gone', cascade: 'declared', dryRun })
        expect(report.tables.map(({ table }) => table)).toEqual(['notes', 'marks'])
      }
      expect(await target.select('marks')).toHaveLength(1)
    }))

  it('reports before the first batch that rows refer to each other', () =>
    opened(async (target) => {
      const context = await target.context()
      await expect(purge(context, { column: 'left_at', batch: 1 })).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringContaining('staff.boss'),
      })
      expect(await target.select('staff')).toHaveLength(2)
      expect(await purge(context, { column: 'left_at' })).toMatchObject({ rows: 2 })
    }))

  it('rejects a number as a time', () =>
    opened(async (target) => {
      const context = await target.context()
      await expect(purge(context, { column: 'counted', olderThan: 1000 })).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringContaining('marks.counted is bigint'),
      })
      expect(await purge(context, { column: 'gone', olderThan: 1000 })).toMatchObject({ rows: 2 })
      await erase(context, 'marks', { counted: { lt: 1 } }, { cascade: 'follow' })
      expect(await target.select('marks')).toHaveLength(1)
    }))
}

for (const { id } of engines) {
  describeOn(id, (server) =>
    cases(() => (server.engine === 'postgres' ? onPostgres(server) : onMysql(server))),
  )
}

describe('SQLite', () => describeSqlite(({ open }) => cases(() => onSqlite(open))))
