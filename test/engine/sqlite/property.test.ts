import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sqlite } from '../../../src/engine/sqlite/index.ts'
import { describeSqlite, type SqliteHandle } from '../../support/sqlite.ts'
import { benchOf, dumpOf, NASTY, ROWS } from './nasty.ts'

const value = fc.constantFrom(
  '1',
  '1.0',
  `'1'`,
  `x'31'`,
  'NULL',
  `'a'`,
  `'A'`,
  `'stays'`,
  '2',
  '-7',
  '0.5',
  `''`,
  '10',
  '50',
)
const id = fc.constantFrom('1', '2', '3', '4', '5', '9', '500')

const filled = (template: string) =>
  fc
    .tuple(id, value, value)
    .map(([n, a, b]) => template.replaceAll('$id', n).replaceAll('$a', a).replaceAll('$b', b))

const write = fc.oneof(
  ...[
    `INSERT INTO "order ""x""" ("select", "a b", parent) VALUES ($a, $b, $id)`,
    `INSERT OR IGNORE INTO moved_on (v) VALUES ('b')`,
    `INSERT OR REPLACE INTO moved_on (id, v) VALUES ($id, $a)`,
    `INSERT INTO moved_on (v) VALUES ($a) ON CONFLICT DO UPDATE SET v = 'up'`,
    `UPDATE "order ""x""" SET "a b" = $a WHERE id = $id`,
    `DELETE FROM "order ""x""" WHERE id = $id`,
    `DELETE FROM "order ""x"""`,
    `UPDATE heap SET x = $a, r = $b WHERE rowid = $id`,
    `UPDATE heap SET t = upper(t), n = $a`,
    `INSERT INTO heap (x, r, t, n) VALUES ($a, $b, $a, $b)`,
    `UPDATE heap SET rowid = rowid + 100`,
    `DELETE FROM heap WHERE x IS $a`,
    `UPDATE keyed SET lang = upper(lang), v = $a`,
    `INSERT OR REPLACE INTO keyed VALUES ('EN', $a, $b)`,
    `DELETE FROM keyed WHERE code IS $a`,
    `UPDATE strictly SET whatever = $a WHERE id = $id`,
    `INSERT OR REPLACE INTO strictly VALUES ($id, 5, $a)`,
    `UPDATE computed SET a = $a WHERE id = $id`,
    `INSERT INTO computed (a) VALUES ($id)`,
    `INSERT INTO disguised VALUES ($a, $b, 3)`,
    `DELETE FROM disguised WHERE _rowid_ = $id`,
    `INSERT INTO backwards VALUES ($a, $b)`,
    `UPDATE backwards SET v = $a`,
    `INSERT INTO never_used (v) VALUES ($a)`,
    `INSERT INTO never_used (id, v) VALUES (1000$id, $a)`,
    `UPDATE sqlite_sequence SET seq = $id WHERE name <> 'kept'`,
    `DELETE FROM sqlite_sequence WHERE name LIKE 'm%'`,
    `DELETE FROM main.plainly`,
    `INSERT INTO big VALUES ($id, 'x')`,
    `INSERT INTO document (title, body) VALUES ('hello $id', $a)`,
    `UPDATE document SET title = $a WHERE id = $id`,
    `REPLACE INTO document VALUES ($id, 'replaced', $b)`,
    `DELETE FROM document`,
    `INSERT INTO found (rowid, title) VALUES (7$id, 'stray word')`,
    `INSERT INTO found (found) VALUES ('delete-all')`,
    `INSERT INTO hollow (rowid, word) VALUES ($id, 'thing')`,
    `UPDATE note SET body = $a WHERE rowid = 3`,
    `INSERT INTO note (title) VALUES ('a note')`,
    `DELETE FROM note WHERE rowid = 9`,
    `DELETE FROM old_note`,
    `INSERT INTO old_note (title) VALUES ($a)`,
    `UPDATE place SET x1 = 9, label = $a WHERE id = $id`,
    `DELETE FROM place WHERE id = 2`,
    `INSERT OR REPLACE INTO place VALUES ($id, 1, 2, $b)`,
    `PRAGMA foreign_keys = OFF; DELETE FROM ring_a; PRAGMA foreign_keys = ON`,
    `BEGIN; INSERT INTO ring_b VALUES ($id, $id); INSERT INTO ring_a VALUES ($id, $id); COMMIT`,
    `UPDATE translation SET lang = 'en', code = $a WHERE id = $id`,
    `VACUUM`,
    `ANALYZE`,
    `CREATE TABLE passing (x); DROP TABLE passing`,
  ].map(filled),
)

const transaction = fc
  .tuple(fc.array(write, { maxLength: 4 }), fc.constantFrom('COMMIT', 'ROLLBACK', 'SAVEPOINT'))
  .map(([writes, end]) =>
    end === 'SAVEPOINT'
      ? ['SAVEPOINT s', ...writes, 'ROLLBACK TO s', 'RELEASE s']
      : ['BEGIN', ...writes.filter((sql) => !/BEGIN|VACUUM|PRAGMA/.test(sql)), end],
  )

const test = fc
  .array(
    fc.oneof(
      write.map((sql) => [sql]),
      transaction,
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => parts.flat())

/**
 * Runs statements as a test would: constraints may refuse them. Rolls back a transaction that is left open.
 */
function play(client: SqliteHandle, statements: readonly string[]): void {
  for (const sql of statements) {
    try {
      client.exec(sql)
    } catch {
      // A constraint or a trigger refused it, as can happen in any test.
    }
  }
  try {
    client.exec('ROLLBACK')
  } catch {
    // No transaction was open.
  }
  client.exec('PRAGMA foreign_keys = ON')
}

describeSqlite(({ open }) => {
  it('restores every row, id, index and definition after any writes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(test, { minLength: 1, maxLength: 4 }), async (tests) => {
        const client = open(':memory:')
        try {
          client.exec(NASTY)
          client.exec(ROWS)
          const { connection, schema, resetter } = await benchOf(client, { keep: ['kept'] })
          const baseline = dumpOf(client)
          const before = await sqlite.fingerprint(connection, schema)
          for (const statements of tests) {
            play(client, statements)
            await resetter.reset()
            expect(await sqlite.fingerprint(connection, schema)).toEqual(before)
            expect(dumpOf(client)).toEqual(baseline)
            expect(await resetter.detect()).toEqual([])
          }
        } finally {
          client.close()
        }
      }),
      { numRuns: 150 },
    )
  })
})
