/** The experiments behind docs/delete-vs-truncate.md, by name. Each compares DELETE with TRUNCATE. */

export interface Experiment {
  /** For the command line and the page. */
  readonly name: string
  /** One sentence: what it shows. */
  readonly about: string
  readonly rows: readonly number[]
  /** Case ids of `src/bench/cases.ts`. */
  readonly cases: readonly string[]
  readonly servers: readonly ExperimentServer[]
}

export interface ExperimentServer {
  readonly image: string
  readonly set?: Readonly<Record<string, string>>
}

const POSTGRES = 'postgres:18'
const MYSQL = 'mysql:9.7'
const MARIADB = 'mariadb:11.8'
const ENGINES = [POSTGRES, MYSQL, MARIADB].map((image) => ({ image }))

/** Fine where the methods meet. */
const SIZES = [1, 100, 300, 1000, 3000, 10_000, 30_000, 100_000, 1_000_000]
const TO_A_HUNDRED_THOUSAND = SIZES.filter((rows) => rows <= 100_000)
const AROUND_THE_CROSSING = [100, 300, 1000, 3000, 10_000, 30_000]

const LARGE_POOL = [
  { image: POSTGRES, set: { shared_buffers: '4GB' } },
  { image: MYSQL, set: { innodb_buffer_pool_size: '4G' } },
  { image: MARIADB, set: { innodb_buffer_pool_size: '4G' } },
]

export const EXPERIMENTS: readonly Experiment[] = [
  {
    name: 'main',
    about: 'A test server: files in memory, durability off, the pool of the image (128 MB)',
    rows: SIZES,
    cases: ['base'],
    servers: ENGINES,
  },
  {
    name: 'durable',
    about:
      'A durable server: files on a disk, every commit flushed; rows younger and older than a checkpoint',
    rows: TO_A_HUNDRED_THOUSAND,
    cases: ['durable', 'durable-old'],
    servers: ENGINES,
  },
  {
    name: 'large-pool',
    about: 'A pool of 4 GB: shared_buffers, innodb_buffer_pool_size',
    rows: TO_A_HUNDRED_THOUSAND,
    cases: ['base'],
    servers: LARGE_POOL,
  },
  {
    name: 'workers',
    about: '8 databases on one server that are emptied at the same time, each with such a table',
    rows: [1, 100, 300, 1000, 3000, 10_000],
    cases: ['workers=8'],
    servers: ENGINES,
  },
  {
    name: 'change-buffering',
    about: 'What decides on MySQL at a million rows: the change buffer, crossed with the size of the pool',
    rows: [1_000_000],
    cases: ['base'],
    servers: ['128M', '1G'].flatMap((pool) =>
      ['all', 'none'].map((buffering) => ({
        image: MYSQL,
        set: { innodb_change_buffering: buffering, innodb_buffer_pool_size: pool },
      })),
    ),
  },
  {
    name: 'shared-buffers',
    about: 'What decides on PostgreSQL: shared_buffers, which TRUNCATE searches',
    rows: AROUND_THE_CROSSING,
    cases: ['base'],
    servers: ['128MB', '1GB', '4GB'].map((shared_buffers) => ({ image: POSTGRES, set: { shared_buffers } })),
  },
  {
    name: 'binary-log',
    about: 'The binary log on, as stock MySQL has it',
    rows: AROUND_THE_CROSSING,
    cases: ['base'],
    servers: [MYSQL, MARIADB].map((image) => ({ image, set: { log_bin: 'binlog', server_id: '1' } })),
  },
  {
    name: 'many-workers',
    about: '32 databases at the same time',
    rows: [100, 1000, 10_000],
    cases: ['workers=32'],
    servers: ENGINES,
  },
  {
    name: 'tables',
    about: 'Many tables, at the same rows in each of them',
    rows: [10, 100, 1000, 10_000],
    cases: ['each-of=10', 'each-of=100'],
    servers: ENGINES,
  },
  {
    name: 'indexes',
    about: 'Indexes beside the key',
    rows: AROUND_THE_CROSSING,
    cases: ['indexes=0', 'indexes=5', 'indexes=10'],
    servers: ENGINES,
  },
  {
    name: 'foreign-keys',
    about: 'Foreign keys in both directions, with checks on',
    rows: [1, 10, 100, 1000, 10_000],
    cases: ['incoming=indexed', 'incoming=unindexed', 'outgoing=indexed', 'children'],
    servers: ENGINES,
  },
  {
    name: 'bloat',
    about: 'The next cycle: the same rows were deleted before, and tidied up or not',
    rows: [1000, 10_000, 100_000],
    cases: ['used', 'tidied'],
    servers: ENGINES,
  },
  {
    name: 'shapes',
    about: 'Row width, partitions, triggers, and clients that read in the meantime',
    rows: [100, 1000, 10_000],
    cases: ['width=1kB', 'width=off-page', 'partitions=10', 'trigger', 'readers=4'],
    servers: ENGINES,
  },
  {
    name: 'large',
    about: 'Ten million rows',
    rows: [10_000_000],
    cases: ['base'],
    servers: ENGINES,
  },
]

/** The four settings of the answer at the top of the page, in under 40 minutes. */
export const MAIN: readonly string[] = ['main', 'durable', 'large-pool', 'workers']

/** How the page and results.json name a server. */
export function serverId({ image, set = {} }: ExperimentServer): string {
  return [image, ...Object.entries(set).map(([name, value]) => `${name}=${value}`)].join(' ')
}
