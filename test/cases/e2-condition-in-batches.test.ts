import { describe, expect, it } from 'vitest'
import { erase, purge } from '../../src/erase/erase.ts'
import type { EraseOptions } from '../../src/erase/options.ts'
import type { EraseContext } from '../../src/erase/run-transaction.ts'
import { sql } from '../../src/erase/sql.ts'
import { type EraseTarget, onMysql, onPostgres, onSqlite } from '../erase/targets.ts'
import { ask } from '../support/ask.ts'
import { hold } from '../support/hold.ts'
import { describeOn, oneOfEach } from '../support/servers.ts'
import { describeSqlite } from '../support/sqlite.ts'
import { untilWaiting } from '../support/waiting.ts'

const ids = Array.from({ length: 30 }, (_, index) => index + 1)

const SCHEMA = [
  'CREATE TABLE teams (id int PRIMARY KEY, is_closed int)',
  'INSERT INTO teams VALUES (1, 1), (2, 1)',
  // Column names that the key list could use too, without and with a primary key.
  'CREATE TABLE marked (id int PRIMARY KEY, n int, c0 int, team int, gone timestamp NULL)',
  `INSERT INTO marked VALUES ${ids.map((id) => `(${id}, ${id}, ${id}, ${id === 25 ? 2 : 1}, '2020-01-01 00:00:00')`).join(', ')}`,
  // Enough rows that a server with statistics does not read, and lock, all of them for each batch.
  `INSERT INTO marked (id, n) VALUES ${Array.from({ length: 3000 }, (_, index) => `(${index + 1000}, 0)`).join(', ')}`,
  'CREATE TABLE notes (id int PRIMARY KEY, mark int, FOREIGN KEY (mark) REFERENCES marked (id) ON DELETE SET NULL)',
  'INSERT INTO notes VALUES (1, 15)',
]

const batches = { batch: 10, cascade: 'follow' } as const

async function left(target: EraseTarget): Promise<number[]> {
  const rows = await target.select('marked')
  return rows.map(({ id }) => Number(id)).filter((id) => id < 1000)
}

type Work = (context: EraseContext, options: EraseOptions) => Promise<{ readonly rows: number }>

const isClosed = sql`team IN (SELECT id FROM teams WHERE is_closed = ${1})`

interface Way {
  readonly work: Work
  readonly act: string
  /**
   * InnoDB locks the rows that a subquery reads in shared mode: no session writes them while a batch runs.
   */
  readonly waitsOnInnodb?: true
}

/**
 * By what keeps a row: the operation, and the statement that another session commits after the first batch.
 */
const ways: Record<string, Way> = {
  'a row that is restored': {
    work: (context, options) => purge(context, { ...options, column: 'gone' }),
    act: 'UPDATE marked SET gone = NULL WHERE id = 25',
  },
  'a row whose mark is new': {
    work: (context, options) => purge(context, { ...options, column: 'gone', olderThan: 3_600_000 }),
    act: 'UPDATE marked SET gone = CURRENT_TIMESTAMP WHERE id = 25',
  },
  'a row that is another one now': {
    work: (context, options) => erase(context, 'marked', { n: { gt: 0 }, c0: ids }, options),
    act: 'UPDATE marked SET n = -1 WHERE id = 25',
  },
  'a row whose parent says otherwise': {
    work: (context, options) => erase(context, 'marked', isClosed, options),
    act: 'UPDATE teams SET is_closed = 0 WHERE id = 2',
    waitsOnInnodb: true,
  },
}

for (const { id } of oneOfEach) {
  describeOn(id, (server) => {
    for (const [name, { work, act, waitsOnInnodb = false }] of Object.entries(ways)) {
      if (waitsOnInnodb && server.engine !== 'postgres') continue
      it(`evaluates the condition again in every batch, and keeps ${name}`, async () => {
        await using serverPlace = await (server.engine === 'postgres' ? onPostgres(server) : onMysql(server))
        for (const statement of SCHEMA) await serverPlace.run(statement)
        const on = { ...server, url: serverPlace.url }
        await ask(on, server.engine === 'postgres' ? 'ANALYZE marked' : 'ANALYZE TABLE marked')
        // The second batch is the first to wait for this lock.
        const held = await hold(on, 'UPDATE notes SET id = id')
        const erasing = work(await serverPlace.context(), { ...batches, lockTimeoutMs: 30_000 })
        await Promise.race([untilWaiting(server), erasing])
        await ask(on, act)
        await held.commit()
        expect(await erasing).toMatchObject({ rows: 29, batches: 3 })
        expect(await left(serverPlace)).toEqual([25])
      })
    }
  })
}

describe('SQLite', () =>
  describeSqlite(({ open }) => {
    const onSqliteTarget = async (body: (target: EraseTarget) => Promise<void>) => {
      await using target = onSqlite(open)
      for (const statement of SCHEMA) await target.run(statement)
      await body(target)
    }
    for (const [name, { work, act }] of Object.entries(ways)) {
      it(`evaluates the condition again in every batch, and keeps ${name}`, () =>
        onSqliteTarget(async (target) => {
          const onProgress: EraseOptions['onProgress'] = ({ batch }) => void (batch === 1 && target.run(act))
          const report = await work(await target.context(), { ...batches, onProgress })
          expect(report).toMatchObject({ rows: 29, batches: 3 })
          expect(await left(target)).toEqual([25])
        }))
    }
  }))
