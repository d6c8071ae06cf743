import type { EngineServer } from '../engine-server.ts'
import { exampleClients } from './example-clients.ts'

/** Durability is off: the data is disposable. */
export const SETTINGS = [
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-doublewrite=OFF',
  '--sync-binlog=0',
  '--max-connections=500',
  '--table-definition-cache=10000',
  // 'loose': not every version has it
  '--loose-log-bin-trust-function-creators=1',
]

// Reading the writes of each table costs by the most tables that were ever open at once: 1,000 tables took
// 131 ms of CPU after 9,490 open ones, and 2 ms after 840.
const FEW_OPEN_TABLES = ['--table-open-cache=900', '--table-open-cache-instances=1']

// The entry point's temporary server logs `port: 0`; MySQL's X plugin logs `port: 33060` and no version.
const READY = { line: /Version: .*port: 3306\b/, times: 1 }

export const server: EngineServer = {
  title: 'MySQL',
  schemes: ['mysql'],
  image: {
    latest: 'mysql:9.7',
    name: 'mysql',
    otherNames: ['mysql-server'],
    module: '@testcontainers/mysql',
    build: (module, name, password) => {
      const { MySqlContainer } = module as typeof import('@testcontainers/mysql')
      return new MySqlContainer(name).withRootPassword(password).withUserPassword(password)
    },
    admin: { user: 'root', database: 'mysql' },
    port: 3306,
    command: [...SETTINGS, ...FEW_OPEN_TABLES, '--skip-log-bin', '--loose-mysqlx=OFF'],
    settingArguments: (name, value) => [`--${name.replaceAll('_', '-')}=${value}`],
    durableCommand: ['--innodb-flush-log-at-trx-commit=1', '--innodb-doublewrite=ON', '--sync-binlog=1'],
    environment: {},
    dataFolder: '/var/lib/mysql',
    ready: READY,
    // Succeeds even if the server refuses the login.
    isReady: 'mysqladmin ping --silent --host=127.0.0.1',
  },
  project: {
    driver: 'mysql2',
    clients: exampleClients,
    words: ['mysql', 'mysql2'],
    packages: ['mysql2', 'mysql', '@testcontainers/mysql', '@mikro-orm/mysql'],
    family: 'mysql',
    exampleColumns: 'id int AUTO_INCREMENT PRIMARY KEY, name varchar(100) NOT NULL',
    demoFolder: 'mysql',
  },
}
