import type { CounterKind, Dialect } from '../dialect.ts'

export const mysql: Dialect = {
  title: 'MySQL',
  shell: { name: 'mysql', timer: undefined },
  fill: (table, rows) =>
    `INSERT /*+ SET_VAR(cte_max_recursion_depth = 1M) */ INTO ${table} WITH RECURSIVE numbers AS ` +
    `(SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < ${rows}) SELECT n, CONCAT('row ', n) FROM numbers`,
  renew: (table) => `TRUNCATE TABLE ${table}`,
  limitLockWaits: (seconds) => [`SET lock_wait_timeout = ${seconds}, innodb_lock_wait_timeout = ${seconds}`],
  beginSnapshot: 'BEGIN',
  journal: `SHOW GLOBAL STATUS LIKE 'Innodb_redo_log_current_lsn'`,
  waitForJournal: 'DO SLEEP(0.5)',
  size: sizeFrom('innodb_tablespaces'),
  compact: (table) => `OPTIMIZE TABLE ${table}`,
  withoutCleanup: '',
  counterKinds: [countingIn('InnoDB'), countingIn('MEMORY')],
  restart: () => undefined,
  trigger: (table, event) => [
    `CREATE TRIGGER ${table}_${event.toLowerCase()} AFTER ${event} ON ${table} FOR EACH ROW INSERT INTO fired VALUES ('${event}')`,
  ],
  truncateParent: ['SET foreign_key_checks = 0', 'TRUNCATE TABLE parent', 'SET foreign_key_checks = 1'],
  user: {
    make: (name, password) => `CREATE USER ${name} IDENTIFIED BY '${password}'`,
    drop: (name) => `DROP USER IF EXISTS ${name}`,
  },
  truncatePrivilege: 'DROP',
}

export const mariadb: Dialect = {
  ...mysql,
  title: 'MariaDB',
  shell: { name: 'mariadb', timer: undefined },
  fill: (table, rows) => `INSERT INTO ${table} SELECT seq, CONCAT('row ', seq) FROM seq_1_to_${rows}`,
  journal: `SHOW GLOBAL STATUS LIKE 'Innodb_lsn_current'`,
  size: sizeFrom('innodb_sys_tablespaces'),
}

function sizeFrom(view: string) {
  return (table: string) =>
    `SELECT file_size AS bytes FROM information_schema.${view} WHERE name = CONCAT(DATABASE(), '/${table}')`
}

function countingIn(storage: string): CounterKind {
  return {
    label: `AUTO_INCREMENT in ${storage}`,
    create: (table, start = 1) =>
      `CREATE TABLE ${table} (id integer AUTO_INCREMENT PRIMARY KEY, name varchar(40)) ENGINE = ${storage} AUTO_INCREMENT = ${start}`,
  }
}
