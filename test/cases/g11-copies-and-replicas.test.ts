import { PostgreSqlContainer } from '@testcontainers/postgresql'
import { getContainerRuntimeClient, Wait } from 'testcontainers'
import { describe, expect, it } from 'vitest'
import { attach, createHarness, existing, RefusedError } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { withDatabaseOn } from '../support/database-on.ts'
import { startPublished } from '../support/own-container.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'
import { adoptHere } from './support.ts'

const USERS = 'CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1), (2)'

/** The server, by an account with privileges on the databases of afresh and of these tests only. */
async function asPlainAccount(server: ServerAtHand): Promise<ServerAtHand> {
  await ask(
    server,
    `CREATE USER IF NOT EXISTS plain_user IDENTIFIED BY 'plain';
     GRANT ALL ON \`afresh\\_%\`.* TO plain_user; GRANT ALL ON \`cases\\_%\`.* TO plain_user`,
  )
  const url = new URL(server.url)
  Object.assign(url, { username: 'plain_user', password: 'plain', pathname: '/' })
  return { ...server, url: url.toString() }
}

async function isRefusedAsStandby(server: ServerAtHand, as: ServerAtHand): Promise<void> {
  const refused = { code: 'refused', message: expect.stringMatching(/is a standby/) }
  await expect(createHarness({ server: existing(as.url) })).rejects.toMatchObject(refused)
  await withDatabaseOn(server, `cases_${process.env.VITEST_POOL_ID}`, async ({ url }) => {
    const own = new URL(as.url)
    own.pathname = new URL(url).pathname
    await expect(attach(own.toString())).rejects.toMatchObject(refused)
  })
}

/** The source is unreachable: configured replication is enough. */
const REPLICATION = {
  'mysql:9.7-stock': {
    start: "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.9', SOURCE_USER = 'nobody'; START REPLICA",
    stop: 'STOP REPLICA',
    end: 'STOP REPLICA; RESET REPLICA ALL',
  },
  'mariadb:11.8': {
    start: "CHANGE MASTER TO MASTER_HOST = '127.0.0.9', MASTER_USER = 'nobody'; START SLAVE",
    stop: 'STOP SLAVE',
    end: 'STOP ALL SLAVES; RESET SLAVE ALL',
  },
} as const

for (const id of ['mysql:9.7-stock', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    it('a writable replica is refused as a standby, running or stopped', async () => {
      const { start, stop, end } = REPLICATION[id]
      expect(await ask(server, 'SELECT @@global.read_only AS is_set')).toEqual([{ is_set: 0 }])
      await ask(server, start)
      try {
        await isRefusedAsStandby(server, server)
        await ask(server, stop)
        await isRefusedAsStandby(server, server)
      } finally {
        await ask(server, end)
      }
      await using harness = await createHarness({ server: existing(server.url) })
      expect(harness.warnings).toEqual([])
    })
  })
}

describeOn('mysql:9.7-stock', (server) => {
  it('without the privilege to see replication, transactions of other servers in the log identify a replica', async () => {
    const plain = await asPlainAccount(server)
    await ask(
      server,
      `SET gtid_next = '3e11fa47-71ca-11e1-9e33-c80aa9429562:1'; BEGIN; COMMIT; SET gtid_next = 'AUTOMATIC'`,
    )
    try {
      await isRefusedAsStandby(server, plain)
    } finally {
      await ask(server, 'RESET BINARY LOGS AND GTIDS')
    }
  })

  it('transactions imported from a dump do not make a server a replica', async () => {
    const plain = await asPlainAccount(server)
    await ask(server, `SET GLOBAL gtid_purged = '+3e11fa47-71ca-11e1-9e33-c80aa9429562:1-7'`)
    try {
      await using harness = await createHarness({ server: existing(plain.url) })
      expect(harness.warnings).toEqual([])
    } finally {
      await ask(server, 'RESET BINARY LOGS AND GTIDS')
    }
  })
})

describeOn('mariadb:11.8', (server) => {
  it('without the privilege to see replication, its threads identify a replica', async () => {
    const plain = await asPlainAccount(server)
    await ask(server, REPLICATION['mariadb:11.8'].start)
    try {
      await isRefusedAsStandby(server, plain)
    } finally {
      await ask(server, REPLICATION['mariadb:11.8'].end)
    }
    await using harness = await createHarness({ server: existing(plain.url) })
    expect(harness.warnings).toEqual([])
  })
})

for (const id of ['mariadb:11.8', 'mariadb:10.11'] as const) {
  describeOn(id, (server) => {
    describe('a mark', () => {
      it('is invalid if it came with a dump, although the server has the same identity', async () => {
        const name = `g11_${process.env.VITEST_POOL_ID}`
        let dump = ''
        await withDatabaseOn(server, name, async (db) => {
          await ask(db, USERS)
          await adoptHere(db.url)
          await (await attach(db.url)).release()
          const [made] = await ask(db, 'SHOW CREATE TABLE afresh_mark')
          const [row] = await ask(db, 'SELECT mark FROM afresh_mark')
          dump = `${made?.['Create Table']}; INSERT INTO afresh_mark VALUES (1, '${row?.mark}'); ${USERS}`
        })
        // The server reports file times in seconds.
        await ask(server, 'DO SLEEP(1.1)')
        await withDatabaseOn(server, name, async (db) => {
          await ask(db, dump)
          await expect(attach(db.url)).rejects.toThrow(/its mark was made for another database/)
          await expect(attach(db.url)).rejects.toBeInstanceOf(RefusedError)
          expect(await ask(db, 'SELECT id FROM users')).toEqual([{ id: 1 }, { id: 2 }])
          await adoptHere(db.url)
          await using database = await attach(db.url)
          await ask(db, 'DELETE FROM users')
          expect((await database.reset()).dirty).toEqual(['users'])
          expect((await database.erase('users', [2])).rows).toBe(1)
        })
      })

      it('stays valid after FLUSH TABLES and a change of the time zone', () =>
        withDatabaseOn(server, `g11_${process.env.VITEST_POOL_ID}`, async (db) => {
          await ask(db, USERS)
          await adoptHere(db.url)
          await ask(db, "FLUSH TABLES; SET GLOBAL time_zone = '+09:00'")
          try {
            await using database = await attach(db.url)
            await ask(db, 'INSERT INTO users VALUES (3)')
            expect((await database.reset()).dirty).toEqual(['users'])
          } finally {
            await ask(db, 'SET GLOBAL time_zone = DEFAULT')
          }
        }))
    })
  })
}

describeOn('postgres:18', () => {
  it('the mark of a database is invalid on a promoted copy of its cluster', async () => {
    const container = await startPublished(
      await getContainerRuntimeClient(),
      new PostgreSqlContainer('postgres:18')
        .withExposedPorts(5432, 5433)
        // Nothing listens on the second port yet. The first "ready" is from the setup of the image.
        .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2)),
    )
    try {
      const url = new URL(container.getConnectionUri())
      await ask({ engine: 'postgres', url: url.toString() }, USERS)
      await adoptHere(url.toString())
      const copied = await container.exec([
        ...['su', 'postgres', '-c'],
        `pg_basebackup -U ${container.getUsername()} -D /tmp/copy -R -c fast &&
         pg_ctl -D /tmp/copy -o '-p 5433 -h 0.0.0.0' -l /tmp/log -w start && pg_ctl -D /tmp/copy -w promote`,
      ])
      expect(copied.exitCode, copied.output).toBe(0)
      const copy = new URL(url)
      copy.port = String(container.getMappedPort(5433))
      await expect(attach(copy.toString())).rejects.toThrow(/its mark was made for another database/)
      expect(await ask({ engine: 'postgres', url: copy.toString() }, 'SELECT id FROM users')).toHaveLength(2)
      await using database = await attach(url.toString())
      expect((await database.reset()).dirty).toEqual([])
    } finally {
      await container.stop()
    }
  })
})
