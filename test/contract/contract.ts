import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AttachOptions } from '../../src/index.ts'
import { eraseContract } from './erase.ts'
import { DUMPS, NEXT_IDS, WRITES } from './schema.ts'
import type { Opened, Target } from './targets.ts'

/** The contract of every engine. A target declares what it cannot do; nothing is skipped implicitly. */
export function contract(target: Target): void {
  const opened = async (options: AttachOptions, body: (db: Opened) => Promise<void>) => {
    await using db = await target.open(options)
    await body(db)
  }

  describe('a reset', () => {
    it('of a clean database finds nothing and does nothing', () =>
      opened({}, async ({ database }) => {
        expect(await database.reset()).toMatchObject({ dirty: [], steps: [] })
      }))

    it('removes inserted rows, restores changed and deleted rows, and names the tables', () =>
      opened({}, async ({ database, run }) => {
        const baseline = await dump(run)
        await run(`INSERT INTO orders (user_id, total) VALUES (2, 9.99)`)
        await run(`INSERT INTO order_lines VALUES (1, 1, 'first')`)
        await run(`UPDATE countries SET name = 'GERMANY' WHERE code = 'DE'`)
        await run(`DELETE FROM users WHERE id = 3`)
        await run(`DELETE FROM log`)
        const report = await database.reset()
        expect(report.dirty).toEqual(
          expect.arrayContaining(['orders', 'order_lines', 'countries', 'users', 'log']),
        )
        expect(report.dirty).not.toContain('teams')
        expect(report.steps.length).toBeGreaterThan(0)
        expect(await dump(run)).toEqual(baseline)
        expect(await database.verify()).toEqual([])
        expect(await database.reset()).toMatchObject({ dirty: [] })
      }))

    it('reports how many rows of which tables were written', () =>
      opened({ strategy: 'delete' }, async ({ database, run }) => {
        await run(`INSERT INTO orders (user_id, total) VALUES (2, 9.99), (2, 1)`)
        await run(`UPDATE countries SET name = upper(name) WHERE code <> 'JP'`)
        await run(`DELETE FROM log WHERE message = 'ready'`)
        const { writes } = await database.reset()
        const uncounted = { inserted: undefined, updated: undefined, deleted: undefined }
        expect(writes).toHaveLength(3)
        expect(writes).toEqual(
          expect.arrayContaining([
            { table: 'orders', inserted: 2, updated: 0, deleted: 0 },
            { table: 'countries', ...(target.repairs ? { inserted: 0, updated: 2, deleted: 0 } : uncounted) },
            { table: 'log', ...(target.repairs ? { inserted: 0, updated: 0, deleted: 1 } : uncounted) },
          ]),
        )
        expect((await database.reset()).writes).toEqual([])
      }))

    it('restarts sequences and counters, also after a rollback', () =>
      opened({}, async ({ database, run }) => {
        const first = await nextIds(run)
        await database.reset()
        await run('BEGIN; INSERT INTO orders (user_id, total) VALUES (1, 1); ROLLBACK')
        await database.reset()
        expect(await nextIds(run)).toEqual(first)
        await database.reset()
        expect(await nextIds(run)).toEqual(first)
      }))

    it('resets a cycle and a self reference', () =>
      opened({}, async ({ database, run }) => {
        await run(`INSERT INTO teams (name) VALUES ('A')`)
        await run('INSERT INTO players (team) VALUES (1)')
        await run('UPDATE teams SET captain = 1')
        await run(`INSERT INTO users (name, country, manager) VALUES ('Dora', 'DE', 3)`)
        await run('UPDATE users SET manager = 4 WHERE id = 1')
        await database.reset()
        expect(await database.verify()).toEqual([])
      }))

    it('distinguishes equal rows without a key by their number', () =>
      opened({}, async ({ database, run }) => {
        await run(`INSERT INTO log VALUES ('started')`)
        await database.reset()
        expect(await run('SELECT message FROM log ORDER BY message')).toHaveLength(3)
        await run(`DELETE FROM log WHERE message = 'started'`)
        await run(`INSERT INTO log VALUES ('started')`)
        await database.reset()
        expect((await run('SELECT message FROM log ORDER BY message')).map(({ message }) => message)).toEqual(
          ['ready', 'started', 'started'],
        )
      }))

    it('leaves kept tables alone', () =>
      opened({ keep: ['log'] }, async ({ database, run }) => {
        await run(`INSERT INTO log VALUES ('kept')`)
        await run(`INSERT INTO teams (name) VALUES ('gone')`)
        expect((await database.reset()).dirty).not.toContain('log')
        expect(await run(`SELECT * FROM log WHERE message = 'kept'`)).toHaveLength(1)
        expect(await run('SELECT * FROM teams')).toHaveLength(0)
      }))

    it('leaves sequences alone with `keep`, and spreads them with `spread`', async () => {
      await opened({ sequences: 'keep' }, async ({ database, run }) => {
        const first = await nextIds(run)
        await database.reset()
        const second = await nextIds(run)
        for (const [i, id] of second.entries()) expect(id).toBeGreaterThan(first[i] ?? 0)
      })
      await opened({ sequences: 'spread' }, async ({ database, run }) => {
        const first = await nextIds(run)
        expect(new Set(first.map((id) => Math.floor(id / 10_000))).size).toBe(first.length)
        await database.reset()
        expect(await nextIds(run)).toEqual(first)
      })
    })

    it.runIf(target.truncates)('empties a large table with TRUNCATE', () =>
      opened({}, async ({ database, run }) => {
        await run(`INSERT INTO "we""ird NAME; --" ("select") VALUES ('a'), ('b'), ('c'), ('d')`)
        for (let i = 0; i < 7; i++) {
          await run(`INSERT INTO "we""ird NAME; --" ("select") SELECT a."select" FROM "we""ird NAME; --" a, "we""ird NAME; --" b
            WHERE b.id <= 4`)
        }
        const { steps } = await database.reset()
        expect(steps).toEqual(expect.arrayContaining([expect.objectContaining({ truncated: true })]))
        expect(await database.verify()).toEqual([])
        await run(`INSERT INTO "we""ird NAME; --" ("select") VALUES ('first')`)
        expect(Number((await run('SELECT max(id) AS id FROM "we""ird NAME; --"'))[0]?.id)).toBe(1)
      }),
    )
  })

  describe.each(['delete', 'truncate', 'auto'] as const)('after any writes, with strategy %s', (strategy) => {
    it('rows and next ids return to the baseline', () =>
      opened({ strategy }, async ({ database, run }) => {
        const rows = await dump(run)
        const ids = await nextIds(run)
        await database.reset()
        const writes = fc.array(fc.tuple(fc.constantFrom(...WRITES), fc.integer({ min: 1, max: 9 })), {
          maxLength: 12,
        })
        await fc.assert(
          fc.asyncProperty(writes, async (script) => {
            for (const [sql, n] of script) await attempt(run, sql.replaceAll(':n', String(n)))
            await database.reset()
            expect(await database.verify()).toEqual([])
            expect(await dump(run)).toEqual(rows)
            expect(await nextIds(run)).toEqual(ids)
            await database.reset()
            expect(await dump(run)).toEqual(rows)
          }),
          { numRuns: 12 },
        )
      }))
  })

  eraseContract(target)
}

type Run = Opened['run']

/** A statement may fail because of an earlier one; then its transaction, if any, is rolled back. */
async function attempt(run: Run, sql: string): Promise<void> {
  try {
    await run(sql)
  } catch {
    await run('ROLLBACK').catch(() => {})
  }
}

/** All rows of all tables, read by the application's own client. */
async function dump(run: Run): Promise<unknown[]> {
  const tables: unknown[] = []
  for (const sql of DUMPS) tables.push((await run(sql)).map((row) => ({ ...row })))
  return tables
}

/** The next ids of the database. This inserts rows, so a reset has to follow. */
async function nextIds(run: Run): Promise<number[]> {
  const ids: number[] = []
  for (const insert of NEXT_IDS) {
    await run(insert)
    const table = /INTO ("(?:[^"]|"")+"|\w+)/.exec(insert)?.[1]
    ids.push(Number((await run(`SELECT max(id) AS id FROM ${table}`))[0]?.id))
  }
  return ids
}
