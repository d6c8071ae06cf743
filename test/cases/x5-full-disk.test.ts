import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from 'testcontainers'
import { describe, expect, it } from 'vitest'
import { createHarness, existing } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { startPublished } from '../support/own-container.ts'
import { describeOn } from '../support/servers.ts'

/** Servers with little room for data. Their log files are on another mount, or allocated at the start. */
const SMALL = {
  'postgres:18': {
    engine: 'postgres',
    port: 5432,
    folder: '/var/lib/postgresql',
    user: 'postgres',
    environment: { POSTGRES_PASSWORD: 'small', POSTGRES_INITDB_WALDIR: '/wal/pg' },
    tmpfs: { '/var/lib/postgresql': 'size=100m', '/wal': 'size=200m' },
    command: ['postgres'],
    ready: Wait.forLogMessage(/ready to accept connections/, 2),
    id: 'int GENERATED ALWAYS AS IDENTITY PRIMARY KEY',
  },
  'mysql:9.7': {
    engine: 'mysql',
    port: 3306,
    folder: '/var/lib/mysql',
    user: 'root',
    environment: { MYSQL_ROOT_PASSWORD: 'small' },
    tmpfs: { '/var/lib/mysql': 'size=700m' },
    command: ['--skip-log-bin', '--innodb-redo-log-capacity=16M'],
    ready: Wait.forLogMessage(/Version: .*port: 3306\b/),
    id: 'int AUTO_INCREMENT PRIMARY KEY',
  },
  'mariadb:11.8': {
    engine: 'mariadb',
    port: 3306,
    folder: '/var/lib/mysql',
    user: 'root',
    environment: { MARIADB_ROOT_PASSWORD: 'small' },
    tmpfs: { '/var/lib/mysql': 'size=300m' },
    command: ['--performance-schema=ON', '--innodb-log-file-size=16M'],
    ready: Wait.forLogMessage(/Version: .*port: 3306\b/),
    // A restarted counter needs a new file in MariaDB as well.
    id: 'int PRIMARY KEY',
  },
} as const

async function filled(container: StartedTestContainer, folder: string, body: () => Promise<void>) {
  await container.exec(['dd', 'if=/dev/zero', `of=${folder}/filler`, 'bs=4k'])
  try {
    await body()
  } finally {
    await container.exec(['rm', `${folder}/filler`])
  }
}

for (const id of ['postgres:18', 'mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, () => {
    describe('when the disk of the server is full', () => {
      it('rows are deleted where they would otherwise be truncated', async () => {
        const { engine, port, folder, user, environment, tmpfs, command, ready, id: key } = SMALL[id]
        const server = new GenericContainer(id)
          .withEnvironment(environment)
          .withTmpFs(tmpfs)
          .withCommand([...command])
          .withExposedPorts(port)
          .withWaitStrategy(ready)
          .withStartupTimeout(120_000)
        const container = await startPublished(await getContainerRuntimeClient(), server)
        try {
          const url = `${engine}://${user}:small@${container.getHost()}:${container.getMappedPort(port)}/${engine === 'postgres' ? 'postgres' : 'mysql'}`
          const schema = `CREATE TABLE parent (id int PRIMARY KEY, v int);
            CREATE TABLE child (id ${key}, parent int REFERENCES parent (id));
            CREATE TABLE kept (id int PRIMARY KEY, v int); INSERT INTO kept VALUES (1, 1)`
          const insert =
            id === 'mariadb:11.8'
              ? 'INSERT INTO child VALUES (1, 7)'
              : 'INSERT INTO child (parent) VALUES (7)'
          for (const detector of ['auto', 'scan'] as const) {
            await using harness = await createHarness({
              ...{ server: existing(url), strategy: 'truncate', detector, project: `full-${detector}` },
              migrate: async (context) => void (await ask({ engine, url: context.url }, schema)),
            })
            await using database = await harness.lease()
            const inside = { engine, url: database.url }
            for (const round of [1, 2]) {
              await ask(inside, `INSERT INTO parent VALUES (7, ${round}); ${insert}`)
              await filled(container, folder, async () => {
                const { dirty, notes } = await database.reset()
                expect(dirty).toEqual(expect.arrayContaining(['child', 'parent']))
                expect(notes).toEqual([expect.stringMatching(/is full: rows were deleted, since TRUNCATE/)])
              })
              expect(await ask(inside, 'SELECT id FROM parent')).toEqual([])
              expect(await database.verify()).toEqual([])
              expect((await database.reset()).dirty).toEqual([])
            }
            await ask(inside, `INSERT INTO parent VALUES (7, 3); ${insert}`)
            const { steps, notes } = await database.reset()
            expect(notes).toEqual([])
            expect(steps.map(({ step }) => step)).toContainEqual(expect.stringMatching(/^truncate parent/))
          }
        } finally {
          await container.stop()
        }
      })
    })
  })
}
