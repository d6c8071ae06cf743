import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { erase, purge } from '../../src/erase/erase.ts'
import type { EraseContext } from '../../src/erase/run-transaction.ts'
import { sql } from '../../src/erase/sql.ts'
import { loadFixtures } from '../../src/harness/load-fixtures.ts'
import { onMysql, onPostgres, onSqlite, type Place } from '../erase/targets.ts'
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
function cases(open: () => Promise<Place> | Place, notMore: string): void {
  const opened = async (body: (place: Place, ground: EraseContext) => Promise<void>) => {
    await using place = await open()
    for (const statement of SCHEMA) await place.run(statement)
    await body(place, { ...(await place.ground()), proof: PROOF })
  }
  const rows = async (place: Place) => Promise.all(TABLES.map((table) => place.select(table)))
  const takeAway = (place: Place) => place.run('DROP TABLE still_ours')
  const follow = { cascade: 'follow' } as const

  const calls: Record<string, (ground: EraseContext) => Promise<unknown>> = {
    'a bare DELETE': (ground) => erase(ground, 'loose', [1, 2]),
    'a DELETE without values': (ground) => erase(ground, 'loose', sql`1 = 1`),
    'rows that others refer to': (ground) => erase(ground, 'users', [2], follow),
    'what is left to the server': (ground) => erase(ground, 'orders', [2], { cascade: 'declared' }),
    batches: (ground) => erase(ground, 'users', sql`1 = 1`, { ...follow, batch: 1 }),
    'batches with a bound': (ground) => erase(ground, 'users', sql`1 = 1`, { ...follow, batch: 1, max: 9 }),
    'rows that are kept': (ground) => erase(ground, 'users', [2], { ...follow, archive: true }),
    'marks of deletion': (ground) => erase(ground, 'users', [2], { ...follow, softDelete: 'gone' }),
    'a purge': (ground) => purge(ground, { column: 'gone' }),
    'a purge in batches': (ground) => purge(ground, { column: 'gone', batch: 1 }),
    'rows of fixtures': (ground) => loadFixtures(ground, FIXTURES, 'loose'),
    'a dry run': (ground) => erase(ground, 'users', [2], { ...follow, dryRun: true }),
  }

  for (const [name, call] of Object.entries(calls)) {
    it(`changes nothing when the proof fails, and reports the error of the proof: ${name}`, () =>
      opened(async (place, ground) => {
        const before = await rows(place)
        await takeAway(place)
        const error: unknown = await call(ground).catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(Error)
        expect(String(error)).toMatch(/still_ours/)
        expect(String(error)).not.toMatch(/could not be erased/)
        expect(await rows(place)).toEqual(before)
        await expect(place.select('users_archive')).rejects.toThrow()
        // The session is clean: the next call succeeds.
        await place.run('CREATE TABLE still_ours (id int)')
        await call(ground)
      }))
  }

  it('checks the proof in every batch', () =>
    opened(async (place, ground) => {
      await place.run('CREATE TABLE users_archive (id int, gone timestamp NULL)')
      const all = sql`1 = 1`
      await expect(
        erase({ ...ground, proof: notMore }, 'users', all, { ...follow, batch: 1, archive: true }),
      ).rejects.not.toThrow(/could not be erased/)
      expect(await place.select('users_archive')).toHaveLength(2)
      expect(await place.select('users')).toHaveLength(1)
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
