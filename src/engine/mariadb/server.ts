import type { EngineServer } from '../engine-server.ts'
import { server as mysql, SETTINGS } from '../mysql/server.ts'

// performance_schema counts the writes to each table; MariaDB has it off by default. 11.8 took 118 MB without
// it, 258 MB with it, and 163 MB with it but without these histories and summaries; it starts no later.
const COUNTERS = [
  '--performance-schema=ON',
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
    command: [...SETTINGS, ...COUNTERS],
    lockCommand: ['--performance-schema-instrument=wait/lock/metadata/sql/mdl=ON'],
    isReady: 'mariadb-admin ping --silent --host=127.0.0.1',
  },
  project: {
    ...mysql.project,
    words: ['mariadb'],
    packages: ['mariadb', '@testcontainers/mariadb', '@mikro-orm/mariadb'],
  },
}
