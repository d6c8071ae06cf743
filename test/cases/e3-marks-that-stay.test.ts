import { describe, expect, it } from 'vitest'
import { erase } from '../../src/erase/erase.ts'
import { sql } from '../../src/erase/sql.ts'
import { type EraseTarget, onMysql, onPostgres, onSqlite } from '../erase/targets.ts'
import { describeOn, oneOfEach } from '../support/servers.ts'
import { describeSqlite } from '../support/sqlite.ts'

const SCHEMA = [
  'CREATE TABLE users (id int PRIMARY KEY, said varchar(40), counted bigint, never bigint DEFAULT 0 NOT NULL, flag boolean NOT NULL, state varchar(9))',
  "INSERT INTO users VALUES (1, '2020-01-01 00:00:00', 1577836800000, 5, true, 'active'), (2, NULL, NULL, 0, false, 'active')",
  'CREATE TABLE orders (id int PRIMARY KEY, user_id int, said varchar(40), FOREIGN KEY (user_id) REFERENCES users (id))',
  "INSERT INTO orders VALUES (1, 1, '2020-01-01 00:00:00'), (2, 2, NULL)",
]

function cases(open: () => Promise<EraseTarget> | EraseTarget): void {
  const opened = async (body: (target: EraseTarget) => Promise<void>) => {
    await using target = await open()
    for (const statement of SCHEMA) await target.run(statement)
    await body(target)
  }
  const all = sql`1 = 1`
  const column = async (target: EraseTarget, name: string) =>
    (await target.select('users'))
      .toSorted((a, b) => Number(a.id) - Number(b.id))
      .map((row) => (typeof row[name] === 'bigint' ? Number(row[name]) : row[name]))

  it('keeps the mark of a row that is already marked, whatever its type', () =>
    opened(async (target) => {
      const context = await target.context()
      const follow = { cascade: 'follow' } as const
      const text = { column: 'said', value: '2026-01-01 00:00:00' }
      expect(await erase(context, 'users', all, { ...follow, softDelete: text })).toMatchObject({ rows: 2 })
      expect(await column(target, 'said')).toEqual(['2020-01-01 00:00:00', '2026-01-01 00:00:00'])
      const number = { column: 'counted', value: 1_800_000_000_000 }
      const onDelete = { 'orders.user_id': 'set null' } as const
      await erase(context, 'users', all, { ...follow, onDelete, softDelete: number })
      expect((await column(target, 'counted')).map(Number)).toEqual([1577836800000, 1800000000000])
      // An explicit `onDelete` applies to marked rows too.
      expect((await target.select('orders')).map(({ user_id }) => user_id)).toEqual([null, null])
    }))

  it('counts unmarked rows only, and is blocked by unmarked rows only', () =>
    opened(async (target) => {
      const context = await target.context()
      const softDelete = { column: 'said', value: '2026-01-01 00:00:00' }
      const onDelete = { 'orders.user_id': 'restrict' } as const
      const held = erase(context, 'users', [2], { cascade: 'follow', onDelete, softDelete })
      await expect(held).rejects.toMatchObject({ message: expect.stringContaining('1 rows refer') })
      expect(await erase(context, 'users', [1], { cascade: 'follow', onDelete, softDelete })).toMatchObject({
        rows: 0,
      })
      const few = { cascade: 'follow', max: 2, softDelete } as const
      expect(await erase(context, 'users', all, few)).toMatchObject({ rows: 2 })
    }))

  it('requires the value of unmarked rows where NULL does not identify them', () =>
    opened(async (target) => {
      const context = await target.context()
      const onDelete = { 'orders.user_id': 'set null' } as const
      const marking = (softDelete: {
        column: string
        value?: string | number | boolean
        live?: string | number
      }) => erase(context, 'users', all, { cascade: 'follow', onDelete, softDelete })
      await expect(marking({ column: 'never', value: 7 })).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringMatching(/users\.never is never NULL.*live/s),
      })
      await expect(marking({ column: 'state', value: 'gone' })).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringMatching(/2 of the selected rows of users have another value.*live/s),
      })
      expect((await column(target, 'never')).map(Number)).toEqual([5, 0])
      expect(await marking({ column: 'never', value: 7, live: 0 })).toMatchObject({ rows: 1 })
      expect((await column(target, 'never')).map(Number)).toEqual([5, 7])
      expect(await marking({ column: 'state', value: 'gone', live: 'active' })).toMatchObject({ rows: 2 })
      expect(await marking({ column: 'flag', value: true })).toMatchObject({ rows: 1 })
    }))

  it('marks all rows of an erase with the same time', () =>
    opened(async (target) => {
      const context = await target.context()
      await erase(context, 'users', [2], { cascade: 'follow', softDelete: 'said' })
      const users = await column(target, 'said')
      const [, order] = (await target.select('orders')).toSorted((a, b) => Number(a.id) - Number(b.id))
      expect(order?.said).toBe(users[1])
      expect(order?.said).toMatch(/^20\d\d-/)
    }))
}

for (const { id } of oneOfEach) {
  describeOn(id, (server) =>
    cases(() => (server.engine === 'postgres' ? onPostgres(server) : onMysql(server))),
  )
}

describe('SQLite', () => describeSqlite(({ open }) => cases(() => onSqlite(open))))
