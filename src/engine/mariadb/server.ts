import type { EngineServer } from '../engine-server.ts'
import { server as mysql, SETTINGS } from '../mysql/server.ts'

// `userstat` counts the rows that are changed in each table; the metric, the inserts that fail.
const COUNTERS = ['--userstat=ON', '--innodb-monitor-enable=trx_rollbacks_savepoint']

// Tells which process has a session, and nothing else.
const SESSIONS = [
  '--performance-schema=ON',
  '--performance-schema-instrument=%=OFF',
  '--performance-schema-digests-size=0',
  '--performance-schema-events-statements-history-size=0',
  '--performance-schema-events-statements-history-long-size=0',
  '--performance-schema-events-stages-history-long-size=0',
  '--performance-schema-events-transactions-history-long-size=0',
  '--performance-schema-events-waits-history-long-size=0',
  '--performance-schema-accounts-size=0',
  '--performance-schema-hosts-size=0',
  '--performance-schema-users-size=0',
]

export const server: EngineServer = {
  title: 'MariaDB',
  schemes: ['mariadb'],
  image: {
    ...mysql.image,
    latest: 'mariadb:11.8',
    name: 'mariadb',
    otherNames: [],
    module: '@testcontainers/mariadb',
    build: (module, name, password) => {
      const { MariaDbContainer } = module as typeof import('@testcontainers/mariadb')
      return new MariaDbContainer(name).withRootPassword(password).withUserPassword(password)
    },
    // The default thrashes from 500 tables on.
    command: [...SETTINGS, '--table-open-cache=30000', ...COUNTERS, ...SESSIONS],
    lockCommand: ['--performance-schema-instrument=wait/lock/metadata/sql/mdl=ON'],
    isReady: 'mariadb-admin ping --silent --host=127.0.0.1',
  },
  project: {
    ...mysql.project,
    words: ['mariadb'],
    packages: ['mariadb', '@testcontainers/mariadb', '@mikro-orm/mariadb'],
  },
}
