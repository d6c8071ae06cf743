import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { erase, purge } from '../../src/erase/erase.ts'
import type { EraseContext } from '../../src/erase/run-transaction.ts'
import { sql } from '../../src/erase/sql.ts'
import { loadFixtures } from '../../src/harness/load-fixtures.ts'
import { type EraseTarget, onMysql, onPostgres, onSqlite } from '../erase/targets.ts'
import { describeOn, oneOfEach } from '../support/servers.ts'
import { describeSqlite } from '../support/sqlite.ts'

/**
 * Every transaction of an erase first proves that afresh still owns the database; here, that a table exists.
 */
const PROOF = 'SELECT * FROM still_ours'

const SCHEMA = [
  'CREATE TABLE still_ours (id int)',
  'CREATE TABLE users (id int PRIMARY KEY, gone timestamp NULL)',
  'CREATE TABLE orders (id int PRIMARY KEY, user_id int, gone timestamp NULL, FOREIGN KEY (user_id) REFERENCES users (id))',
  'CREATE TABLE loose (id int PRIMARY KEY, n int)',
  "INSERT INTO users VALUES (1, '2020-01-01 00:00:00'), (2, NULL), (3, NULL)",
  "INSERT INTO orders VALUES (1, 1, '2020-01-01 00:00:00'), (2, 2, NULL), (3, 3, NULL)",
  'INSERT INTO loose VALUES (1, 1), (2, 2), (3, 3)',
]

// SQLite accepts a subquery with several rows. abs() of the smallest integer overflows instead.
const TWO_ROWS =
  'SELECT abs(CASE count(*) WHEN 2 THEN -9223372036854775807 - 1 ELSE 0 END) FROM users_archive'

const FIXTURES = { cwd: mkdtempSync(join(tmpdir(), 'afresh-proof-')), sets: { loose: 'loose.csv' } }
writeFileSync(join(FIXTURES.cwd, 'loose.csv'), 'id,n\n9,9\n')
afterAll(() => rmSync(FIXTURES.cwd, { recursive: true }))

const TABLES = ['users', 'orders', 'loose']

/** @param notMore a proof that fails once two rows are archived */
function cases(open: () => Promise<EraseTarget> | EraseTarget, notMore: string): void {
  const opened = async (body: (target: EraseTarget, context: EraseContext) => Promise<void>) => {
    await using target = await open()
    for (const statement of SCHEMA) await target.run(statement)
    await body(target, { ...(await target.context()), proof: PROOF })
  }
  const rows = async (target: EraseTarget) => Promise.all(TABLES.map((table) => target.select(table)))
  const takeAway = (target: EraseTarget) => target.run('DROP TABLE still_ours')
  const follow = { cascade: 'follow' } as const

  const calls: Record<string, (context: EraseContext) => Promise<unknown>> = {
    'a bare DELETE': (context) => erase(context, 'loose', [1, 2]),
    'a DELETE without values': (context) => erase(context, 'loose', sql`1 = 1`),
    'rows that others refer to': (context) => erase(context, 'users', [2], follow),
    'what is left to the server': (context) => erase(context, 'orders', [2], { cascade: 'declared' }),
    batches: (context) => erase(context, 'users', sql`1 = 1`, { ...follow, batch: 1 }),
    'batches with a bound': (context) => erase(context, 'users', sql`1 = 1`, { ...follow, batch: 1, max: 9 }),
    'rows that are kept': (context) => erase(context, 'users', [2], { ...follow, archive: true }),
    'marks of deletion': (context) => erase(context, 'users', [2], { ...follow, softDelete: 'gone' }),
    'a purge': (context) => purge(context, { column: 'gone' }),
    'a purge in batches': (context) => purge(context, { column: 'gone', batch: 1 }),
    'rows of fixtures': (context) => loadFixtures(context, FIXTURES, 'loose'),
    'a dry run': (context) => erase(context, 'users', [2], { ...follow, dryRun: true }),
  }

  for (const [name, call] of Object.entries(calls)) {
    it(`changes nothing when the proof fails, and reports the error of the proof: ${name}`, () =>
      opened(async (target, context) => {
        const before = await rows(target)
        await takeAway(target)
        const error: unknown = await call(context).catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(Error)
        expect(String(error)).toMatch(/still_ours/)
        expect(String(error)).not.toMatch(/could not be erased/)
        expect(await rows(target)).toEqual(before)
        await expect(target.select('users_archive')).rejects.toThrow()
        // The session is clean: the next call succeeds.
        await target.run('CREATE TABLE still_ours (id int)')
        await call(context)
      }))
  }

  it('checks the proof in every batch', () =>
    opened(async (target, context) => {
      await target.run('CREATE TABLE users_archive (id int, gone timestamp NULL)')
      const all = sql`1 = 1`
      await expect(
        erase({ ...context, proof: notMore }, 'users', all, { ...follow, batch: 1, archive: true }),
      ).rejects.not.toThrow(/could not be erased/)
      expect(await target.select('users_archive')).toHaveLength(2)
      expect(await target.select('users')).toHaveLength(1)
    }))
}

for (const { id } of oneOfEach) {
  describeOn(id, (server) =>
    cases(
      () => (server.engine === 'postgres' ? onPostgres(server) : onMysql(server)),
      'SELECT (SELECT id FROM users_archive)',
    ),
  )
}

describe('SQLite', () => describeSqlite(({ open }) => cases(() => onSqlite(open), TWO_ROWS)))
