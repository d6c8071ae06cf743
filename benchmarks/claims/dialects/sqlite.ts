import type { CounterKind, Dialect } from '../dialect.ts'

export const sqlite: Dialect = {
  title: 'SQLite',
  shell: { name: 'sqlite3', timer: '.timer on' },
  fill: (table, rows) =>
    `INSERT INTO ${table} WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers ` +
    `WHERE n < ${rows}) SELECT n, 'row ' || n FROM numbers`,
  // A DELETE in SQLite leaves nothing that affects the next one.
  renew: () => undefined,
  limitLockWaits: (seconds) => [`PRAGMA busy_timeout = ${seconds * 1000}`],
  beginSnapshot: 'BEGIN',
  journal: undefined,
  waitForJournal: undefined,
  size: () => 'SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size',
  compact: () => 'VACUUM',
  withoutCleanup: '',
  counterKinds: [counting('AUTOINCREMENT', ' AUTOINCREMENT'), counting('a plain INTEGER PRIMARY KEY', '')],
  restart: () => undefined,
  trigger: (table, event) => [
    `CREATE TRIGGER ${table}_${event.toLowerCase()} AFTER ${event} ON ${table} BEGIN INSERT INTO fired VALUES ('${event}'); END`,
  ],
  truncateParent: [],
  user: {
    make: (name) => `CREATE USER ${name}`,
    drop: (name) => `DROP USER ${name}`,
  },
  truncatePrivilege: 'TRUNCATE',
}

function counting(label: string, suffix: string): CounterKind {
  return {
    label,
    create: (table) => `CREATE TABLE ${table} (id integer PRIMARY KEY${suffix}, name varchar(40))`,
  }
}
