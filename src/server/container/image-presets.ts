import { dataSettings } from '../data-directory.ts'
import type { DataPlace, ServerEngine } from '../spec.ts'

/** How the official image of an engine is started for throw-away data. */
export interface ImagePreset {
  /** The npm package with testcontainers' module for it. */
  readonly module: string
  readonly command: readonly string[]
  /** More of it, by where the files are. */
  readonly commandFor?: (data: DataPlace) => readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** The folder that holds the data: kept in memory. */
  readonly dataFolder: string
  /** Its log says this, so many times, once the final server takes connections. */
  readonly ready: { readonly line: RegExp; readonly times: number }
  /** A shell command in the container that succeeds once the server takes connections over TCP. */
  readonly isReady: string
}

const POSTGRES: ImagePreset = {
  module: '@testcontainers/postgresql',
  command: [
    ...settings('-c', [
      'fsync=off',
      'synchronous_commit=off',
      'full_page_writes=off',
      'max_connections=200',
      // TRUNCATE of many tables in one statement takes a lock each
      'max_locks_per_transaction=1024',
    ]),
  ],
  commandFor: (data) =>
    settings(
      '-c',
      Object.entries(dataSettings(data)).map(([name, value]) => `${name}=${value}`),
    ),
  environment: {
    // The image wants its mount at /var/lib/postgresql from 18 on and at …/data before; a data folder of our
    // own suits them all. https://github.com/docker-library/docs/blob/master/postgres/content.md#pgdata
    PGDATA: '/var/lib/postgresql/afresh',
    // The entry point runs this through the shell. Checksums, the default from 18 on, make every hint bit a
    // write to the WAL.
    POSTGRES_INITDB_ARGS: '--no-sync $([ "$' + '{PG_MAJOR:-0}" -ge 18 ] && echo --no-data-checksums)',
  },
  dataFolder: '/var/lib/postgresql',
  // once from the temporary server of the entry point, once for good
  ready: { line: /database system is ready to accept connections/, times: 2 },
  isReady: 'pg_isready --host=127.0.0.1',
}

const MYSQL_SETTINGS = [
  'innodb-flush-log-at-trx-commit=0',
  'innodb-doublewrite=OFF',
  'sync-binlog=0',
  'max-connections=500',
  // The default of 4,000 in 16 parts thrashes from 500 tables on: LOCK TABLES of all of them took 268 ms, not 6.
  'table-open-cache=30000',
  'table-definition-cache=10000',
  // 'loose': not every version has it
  'loose-log-bin-trust-function-creators=1',
]

// The temporary server of the entry point says `port: 0`, MySQL's X plugin says `port: 33060` and no version.
const MYSQL_READY = { line: /Version: .*port: 3306\b/, times: 1 }

const MYSQL: ImagePreset = {
  module: '@testcontainers/mysql',
  command: settings('--', [...MYSQL_SETTINGS, 'skip-log-bin', 'loose-mysqlx=OFF']),
  environment: {},
  dataFolder: '/var/lib/mysql',
  ready: MYSQL_READY,
  // It succeeds although the server refuses the login.
  isReady: 'mysqladmin ping --silent --host=127.0.0.1',
}

// It counts the writes to each table; MariaDB has it off by default. 11.8 took 118 MB without it, 258 MB with it, and
// 163 MB with it but for these histories and summaries; it starts no later.
const MARIADB_COUNTS = [
  'performance-schema=ON',
  'performance-schema-digests-size=0',
  'performance-schema-events-statements-history-size=0',
  'performance-schema-events-statements-history-long-size=0',
  'performance-schema-events-stages-history-long-size=0',
  'performance-schema-events-transactions-history-long-size=0',
  'performance-schema-events-waits-history-long-size=0',
  'performance-schema-accounts-size=0',
  'performance-schema-hosts-size=0',
  'performance-schema-users-size=0',
]

const MARIADB: ImagePreset = {
  module: '@testcontainers/mariadb',
  command: settings('--', [...MYSQL_SETTINGS, ...MARIADB_COUNTS]),
  environment: {},
  dataFolder: '/var/lib/mysql',
  ready: MYSQL_READY,
  isReady: 'mariadb-admin ping --silent --host=127.0.0.1',
}

export const IMAGE_PRESETS: Readonly<Record<ServerEngine, ImagePreset>> = {
  postgres: POSTGRES,
  mysql: MYSQL,
  mariadb: MARIADB,
}

/** `-c a=b` as two arguments, `--a=b` as one. */
function settings(flag: '-c' | '--', values: readonly string[]): string[] {
  return flag === '-c' ? values.flatMap((value) => [flag, value]) : values.map((value) => `${flag}${value}`)
}
