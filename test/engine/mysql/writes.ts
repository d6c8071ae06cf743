import type { Fingerprint } from '../../../src/engine/fingerprint.ts'

export function sameContent(a: Fingerprint, b: Fingerprint): boolean {
  const text = (fingerprint: Fingerprint) =>
    JSON.stringify([[...fingerprint.tables], [...fingerprint.sequences]])
  return text(a) === text(b)
}

/** All kinds of writes to the nasty schema. */
export function writesFor(mariadb: boolean): string[] {
  const weird = '`we``ird. "Näme" \'x\' %`'
  return [
    'INSERT INTO parent (name) VALUES (UUID()), (UUID())',
    'DELETE FROM parent WHERE id = 1001',
    'TRUNCATE TABLE parent',
    "UPDATE parent SET name = CONCAT(name, '!')",
    "INSERT INTO child VALUES (9, 'nine', NULL)",
    'UPDATE child SET a = a + 10',
    'INSERT INTO grandchild (a) VALUES (NULL), (NULL)',
    'START TRANSACTION; INSERT INTO tree (parent_id) VALUES (1); ROLLBACK',
    'INSERT INTO tree (id, parent_id) VALUES (500000, 500000)',
    'DELETE FROM tree',
    'DELETE FROM egg; DELETE FROM hen',
    'INSERT INTO egg (hen_id) VALUES (1); INSERT INTO hen (egg_id) VALUES (1)',
    `INSERT INTO ${weird} () VALUES ()`,
    `DELETE FROM ${weird}`,
    'INSERT INTO `Ünïcode €` VALUES (1, 1)',
    'TRUNCATE TABLE typed',
    'DELETE FROM typed WHERE id = 2',
    "UPDATE typed SET d = d + 1, s = 'x'",
    'DELETE FROM zero WHERE id = 0',
    'TRUNCATE TABLE zero',
    "DELETE FROM words WHERE word = 'apple'; INSERT INTO words VALUES ('APPLE', 1)",
    'DELETE FROM bag LIMIT 1',
    "INSERT INTO bag VALUES ('same', 0.1, x'01')",
    'TRUNCATE TABLE bag',
    'INSERT INTO parts (at, v) VALUES (5, 5), (500, 5)',
    'DELETE FROM parts WHERE at = 50',
    'ALTER TABLE parts TRUNCATE PARTITION p0',
    'INSERT INTO audited (v) VALUES (7)',
    'DELETE FROM audited WHERE id = 1',
    "UPDATE audited SET stamp = 'new'",
    'INSERT INTO watched (v) VALUES (1)',
    'DELETE FROM audit',
    'INSERT INTO quick (v) VALUES (1)',
    'INSERT INTO old (v) VALUES (2)',
    'DELETE FROM old',
    'INSERT INTO old (id) VALUES (900)',
    'UPDATE checked SET v = 6',
    'DELETE FROM checked',
    ...(mariadb
      ? [
          'SELECT NEXTVAL(free_seq)',
          'SELECT NEXTVAL(unused_seq), NEXTVAL(unused_seq)',
          'SELECT SETVAL(unused_seq, 5000)',
          'INSERT INTO ticket (v) VALUES (2)',
          'UPDATE history_full SET v = 8',
          'DELETE FROM history_full',
          'INSERT INTO history_empty (v) VALUES (1); DELETE FROM history_empty',
          'INSERT INTO history_empty (v) VALUES (1)',
        ]
      : ['INSERT INTO keyless VALUES (5)', 'DELETE FROM keyless LIMIT 1']),
  ]
}

/** mulberry32: the same writes in every run. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}
