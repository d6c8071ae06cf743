import { describe, expect, it } from 'vitest'
import { type AttachOptions, sql } from '../../src/index.ts'
import type { Opened, Target } from './targets.ts'

/** The contract of every engine for deleting selected rows. */
export function eraseContract(target: Target): void {
  const opened = async (body: (db: Opened) => Promise<void>, options: AttachOptions = {}) => {
    await using db = await target.open(options)
    await db.run(`INSERT INTO orders (user_id, total) VALUES (2, 10), (2, 20), (3, 30)`)
    await db.run(`INSERT INTO order_lines VALUES (1, 1, 'a'), (1, 2, 'b'), (2, 1, 'c'), (3, 1, 'd')`)
    await body(db)
  }
  const ids = async (run: Opened['run'], query: string) =>
    (await run(query)).map((row) => Number(Object.values(row)[0]))
  const orders = (run: Opened['run']) => ids(run, 'SELECT id FROM orders ORDER BY id')
  const counts = ({ tables }: { tables: readonly { table: string; deleted: number | undefined }[] }) =>
    Object.fromEntries(tables.map(({ table, deleted }) => [table, deleted]))

  describe('erase', () => {
    it('by default fails if other rows refer to the rows, and names each path', () =>
      opened(async ({ database, run }) => {
        const error = await database.erase('users', { id: 3 }).catch((thrown: unknown) => thrown)
        expect(error).toMatchObject({
          code: 'erase',
          message: expect.stringMatching(
            /users ← orders\.user_id \(ON DELETE CASCADE\) ← order_lines\.order_id \(ON DELETE CASCADE\)/,
          ),
        })
        expect(String(error)).toMatch(/users ← users\.manager/)
        expect(await ids(run, 'SELECT id FROM users ORDER BY id')).toEqual([1, 2, 3])
      }))

    it('uses a single plain statement if nothing refers to the rows', () =>
      opened(async ({ database, run }) => {
        const report = await database.erase('order_lines', { line: 1, note: ['a', 'd'] })
        expect(report).toMatchObject({ rows: 2, batches: 1, dryRun: false })
        expect(report.statements).toHaveLength(1)
        expect(report.statements[0]?.sql).toMatch(/^DELETE FROM \S*order_lines\S* WHERE/)
        expect(await ids(run, 'SELECT order_id FROM order_lines ORDER BY order_id, line')).toEqual([1, 2])
      }))

    it('with `follow` deletes referring rows too, and counts them', () =>
      opened(async ({ database, run }) => {
        const report = await database.erase('users', { id: { gte: 2, lt: 3 } }, { cascade: 'follow' })
        expect(counts(report)).toEqual({ order_lines: 3, orders: 2, users: 1 })
        expect(report.rows).toBe(6)
        expect(await orders(run)).toEqual([3])
        expect(await ids(run, 'SELECT id FROM users ORDER BY id')).toEqual([1, 3])
      }))

    it('follows references of a table to itself, and a cycle', () =>
      opened(async ({ database, run }) => {
        // Users 2 and 3 report to the first.
        const all = await database.erase('users', [1], { cascade: 'follow' })
        expect(counts(all)).toEqual({ order_lines: 4, orders: 3, users: 3 })
        await run(`INSERT INTO teams (name) VALUES ('A'), ('B')`)
        await run('INSERT INTO players (team) VALUES (1), (2)')
        await run('UPDATE teams SET captain = 3 - id')
        const cycle = await database.erase('players', [1], { cascade: 'follow' })
        expect(counts(cycle)).toEqual({ teams: 2, players: 2 })
        expect(await ids(run, 'SELECT id FROM players')).toEqual([])
      }))

    it('with `declared` relies on the server, which may refuse', () =>
      opened(async ({ database, run }) => {
        const report = await database.erase('orders', { id: 1 }, { cascade: 'declared' })
        expect(counts(report)).toEqual({ orders: 1, order_lines: undefined })
        expect(await ids(run, 'SELECT order_id FROM order_lines ORDER BY 1')).toEqual([2, 3])
        await expect(database.erase('users', [1], { cascade: 'declared' })).rejects.toMatchObject({
          name: 'EraseError',
          code: 'erase',
          message: expect.stringContaining("cascade: 'follow'"),
        })
        expect(await ids(run, 'SELECT id FROM users')).toHaveLength(3)
      }))

    it('applies `onDelete` to a single key', () =>
      opened(async ({ database, run }) => {
        const onDelete = { 'users.manager': 'set null', 'orders.user_id': 'restrict' } as const
        const report = await database.erase('users', [1], { cascade: 'follow', onDelete })
        expect(report.tables).toEqual([expect.objectContaining({ table: 'users', deleted: 1, changed: 2 })])
        expect(await run('SELECT id FROM users WHERE manager IS NOT NULL')).toEqual([])
        await expect(database.erase('users', [2], { cascade: 'follow', onDelete })).rejects.toMatchObject({
          code: 'erase',
          message: expect.stringContaining('2 rows refer to those by orders.user_id'),
        })
        expect(await orders(run)).toEqual([1, 2, 3])
      }))

    it('selects rows by the state before it, even if the condition depends on rows that it deletes', () =>
      opened(async ({ database, run }) => {
        const note = 'c'
        const withLine = sql`id IN (SELECT order_id FROM order_lines WHERE note = ${note})`
        expect(counts(await database.erase('orders', withLine, { cascade: 'follow' }))).toEqual({
          order_lines: 1,
          orders: 1,
        })
        expect(await orders(run)).toEqual([1, 3])
      }))

    it('accepts only columns of the table itself in a condition', () =>
      opened(async ({ database, run }) => {
        // `user_id` is a column of orders only.
        await expect(
          database.erase('users', sql`user_id > ${0}`, { cascade: 'follow' }),
        ).rejects.toMatchObject({ name: 'EraseError' })
        expect(await orders(run)).toEqual([1, 2, 3])
      }))

    it('with `dryRun` changes nothing, and reports what it would do', () =>
      opened(async ({ database, run }) => {
        const dry = await database.erase('users', [2], { cascade: 'follow', dryRun: true })
        expect(dry.dryRun).toBe(true)
        expect(counts(dry)).toEqual({ order_lines: 3, orders: 2, users: 1 })
        expect(dry.statements.filter(({ sql: text }) => /^(WITH .*)?DELETE/s.test(text)).length).toBe(3)
        expect(await orders(run)).toEqual([1, 2, 3])
        const declared = await database.erase('orders', [1, 2], { cascade: 'declared', dryRun: true })
        expect(counts(declared)).toEqual({ orders: 2, order_lines: 3 })
        expect(await orders(run)).toEqual([1, 2, 3])
      }))

    it('fails instead of deleting more than `max` rows', () =>
      opened(async ({ database, run }) => {
        const refused = { code: 'erase', message: expect.stringContaining('the maximum is 5') }
        for (const options of [{}, { batch: 1 }, { dryRun: true }]) {
          await expect(
            database.erase('users', [2], { cascade: 'follow', max: 5, ...options }),
          ).rejects.toMatchObject(refused)
        }
        expect(await orders(run)).toEqual([1, 2, 3])
        expect((await database.erase('users', [2], { cascade: 'follow', max: 6 })).rows).toBe(6)
      }))

    it('reports each batch, can be aborted between batches, and continues when called again', () =>
      opened(async ({ database, run }) => {
        const rows = Array.from({ length: 25 }, (_, index) => `('row ${index}')`)
        await run(`INSERT INTO log VALUES ${rows.join(', ')}`)
        await run(`INSERT INTO orders (user_id, total) SELECT 1, 5 FROM log WHERE message LIKE 'row %'`)
        const stop = new AbortController()
        const seen: number[] = []
        const stopped = database.erase(
          'orders',
          { total: 5 },
          {
            cascade: 'follow',
            batch: 10,
            signal: stop.signal,
            onProgress({ done, total, batch }) {
              expect(total).toBe(25)
              seen.push(done)
              if (batch === 2) stop.abort()
            },
          },
        )
        await expect(stopped).rejects.toMatchObject({
          code: 'erase',
          message: expect.stringContaining('Stopped after 2 batches: 20 of'),
        })
        expect(seen).toEqual([10, 20])
        expect(await run('SELECT id FROM orders WHERE total = 5')).toHaveLength(5)
        const rest = await database.erase('orders', { total: 5 }, { cascade: 'follow', batch: 2 })
        expect(rest).toMatchObject({ rows: 5, batches: 3 })
        expect(await orders(run)).toEqual([1, 2, 3])
        expect((await database.erase('log', sql`message LIKE 'row %'`, { batch: 7 })).rows).toBe(25)
        expect(await run('SELECT message FROM log')).toHaveLength(3)
      }))

    it('copies rows to archive tables, and creates missing ones', () =>
      opened(async ({ database, run }) => {
        const dry = await database.erase('orders', [1], { cascade: 'follow', archive: true, dryRun: true })
        expect(dry.tables.map(({ archived }) => archived)).toEqual([2, 1])
        await expect(run('SELECT id FROM orders_archive')).rejects.toThrow()
        await database.erase('orders', [1], { cascade: 'follow', archive: true })
        await database.erase('orders', [2], { cascade: 'follow', archive: true })
        const kept = await run('SELECT id, doubled FROM orders_archive ORDER BY id')
        expect(kept.map(({ id, doubled }) => [Number(id), Number(doubled)])).toEqual([
          [1, 20],
          [2, 40],
        ])
        expect(await run('SELECT note FROM order_lines_archive')).toHaveLength(3)
        await run('DROP TABLE orders_archive')
        await run('DROP TABLE order_lines_archive')
      }))

    it('loses no archived rows when it is aborted', () =>
      opened(async ({ database, run }) => {
        const stop = new AbortController()
        const options = { cascade: 'follow', archive: true, batch: 1, signal: stop.signal } as const
        const onProgress = () => stop.abort()
        await expect(database.erase('orders', sql`1 = 1`, { ...options, onProgress })).rejects.toMatchObject({
          code: 'erase',
        })
        expect(await ids(run, 'SELECT id FROM orders_archive')).toEqual([1])
        await run('DROP TABLE orders_archive')
        await run('DROP TABLE order_lines_archive')
      }))

    it('rejects conditions that select nothing, or everything by mistake, and values that cannot be bound', () =>
      opened(async ({ database, run }) => {
        const wrong: [unknown, RegExp][] = [
          [{}, /every row/],
          [{ line: undefined }, /line is undefined/],
          [{ line: Number.NaN }, /line is NaN/],
          [{ line: { is: 3 } }, /there is no "is"/],
          [{ line: [[1]] }, /line is a list/],
          [{ nope: 1 }, /no column "nope"/],
          [{ sql: '1 = 1', values: [] }, /no column "sql"/],
          [[{ line: 1 }, { note: 2 }], /the first key has line/],
          [[[1, 2, 3]], /the key has 3 values/],
          ['1 = 1', /selects no rows/],
          [sql``, /it is empty/],
          [sql`1 = 1; DELETE FROM users`, /semicolon/],
          [sql`1 = 1) OR (1 = 1`, /brackets/],
          [sql`line = ${undefined}`, /undefined/],
        ]
        for (const [where, message] of wrong) {
          await expect(database.erase('order_lines', where as never), String(message)).rejects.toMatchObject({
            code: 'usage',
            message: expect.stringMatching(message),
          })
        }
        await expect(database.erase('nope', { id: 1 })).rejects.toMatchObject({ code: 'usage' })
        await expect(database.erase('orders', [1], { cascade: 'all' } as never)).rejects.toMatchObject({
          code: 'usage',
          message: expect.stringContaining('cascade'),
        })
        expect(await database.erase('order_lines', [])).toMatchObject({ rows: 0 })
        expect(await database.erase('orders', { id: [] }, { cascade: 'follow' })).toMatchObject({ rows: 0 })
        expect(await run('SELECT note FROM order_lines')).toHaveLength(4)
      }))

    it('treats hostile values and names as plain text', () =>
      opened(async ({ database, run }) => {
        const weird = '"we""ird NAME; --"'
        const hostile = [
          `' OR 1 = 1 -- `,
          `\\' OR 1 = 1 -- `,
          `"; DROP TABLE x`,
          '`) OR (1 = 1',
          '%',
          '$1 ? :a',
          '\\',
        ]
        await run(`INSERT INTO ${weird} ("select") VALUES ('innocent')`)
        const name = 'we"ird NAME; --'
        for (const value of hostile) {
          expect(await database.erase(name, { select: value }), value).toMatchObject({ rows: 0 })
          expect(await database.erase(name, { select: [value, value] }), value).toMatchObject({ rows: 0 })
          expect(await database.erase('log', sql`message = ${value}`), value).toMatchObject({ rows: 0 })
          await expect(database.erase(value, { select: 1 })).rejects.toMatchObject({ code: 'usage' })
          await expect(database.erase(name, { [value]: 1 })).rejects.toMatchObject({ code: 'usage' })
        }
        expect(await run(`SELECT id FROM ${weird}`)).toHaveLength(1)
        expect(await database.erase(name, { select: 'innocent' }, { batch: 1 })).toMatchObject({ rows: 1 })
      }))

    it('leaves nothing behind, and a reset restores everything', () =>
      opened(async ({ database, run }) => {
        await database.erase('users', sql`1 = 1`, { cascade: 'follow' })
        await database.erase('countries', { code: 'JP' }, { cascade: 'follow' })
        const report = await database.reset()
        expect(report.dirty).toEqual(expect.arrayContaining(['users', 'countries']))
        expect(await database.verify()).toEqual([])
        expect(await ids(run, 'SELECT id FROM users ORDER BY id')).toEqual([1, 2, 3])
        // MySQL responds slightly before a statement ends.
        await expect.poll(() => database.openResources()).toEqual([])
        expect(await database.reset()).toMatchObject({ dirty: [] })
      }))

    it('may run concurrently with other erases and with resets', () =>
      opened(async ({ database }) => {
        const work = [
          database.erase('users', [2], { cascade: 'follow' }),
          database.reset(),
          database.erase('users', [3], { cascade: 'follow' }),
          database.erase('log', { message: 'ready' }),
        ]
        await Promise.all(work)
        await database.reset()
        expect(await database.verify()).toEqual([])
      }))
  })

  describe('soft delete', () => {
    it('marks rows, every reset detects the marks, and purge deletes the rows', () =>
      opened(async ({ database, run }) => {
        // `total` marks orders; order_lines has no such column.
        await expect(
          database.erase('orders', [1], { cascade: 'follow', softDelete: { column: 'total', value: 0 } }),
        ).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('in order_lines') })
        await run(`INSERT INTO teams (name) VALUES ('here'), ('there')`)
        const softDelete = { column: 'name', value: 'gone', live: ['here', 'there'] }
        const onDelete = { 'players.team': 'restrict' } as const
        const marked = await database.erase('teams', [2], { cascade: 'follow', onDelete, softDelete })
        expect(marked).toMatchObject({ rows: 1, tables: [{ table: 'teams', marked: 1, deleted: 0 }] })
        expect(await database.erase('teams', [2], { cascade: 'follow', onDelete, softDelete })).toMatchObject(
          { rows: 0 },
        )
        const purged = await database
          .purge({ column: 'name', value: 'gone', tables: ['teams'] })
          .catch((error: unknown) => error)
        expect(purged).toMatchObject({ code: 'erase', message: expect.stringContaining('players.team') })
        const options = { column: 'name', value: 'gone', tables: ['teams'], cascade: 'follow' } as const
        expect(await database.purge(options)).toMatchObject({ rows: 1 })
        expect(await ids(run, 'SELECT id FROM teams')).toEqual([1])
        expect(await database.reset()).toMatchObject({ dirty: expect.arrayContaining(['teams']) })
        expect(await database.verify()).toEqual([])
      }))
  })
}
