import { expect, it } from 'vitest'
import { wrap } from '../../src/engine/registry.ts'
import { erase, purge } from '../../src/erase/erase.ts'
import type { EraseOptions } from '../../src/erase/options.ts'
import type { CaseRow } from '../erase/random.ts'
import { onMysql, onPostgres, type ServerPlace } from '../erase/targets.ts'
import { ask } from '../support/ask.ts'
import { hold } from '../support/hold.ts'
import { describeOn, oneOfEach, type ServerAtHand } from '../support/servers.ts'
import { untilWaiting, waitingOn } from '../support/waiting.ts'
import { clientOn } from './client.ts'

const SCHEMA = [
  'CREATE TABLE users (id int PRIMARY KEY, gone timestamp NULL)',
  'CREATE TABLE orders (id int PRIMARY KEY, user_id int, FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE)',
  // Last, so that an erase waits here after it has read everything else.
  'CREATE TABLE notes (id int PRIMARY KEY, user_id int, FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL)',
  // MySQL cannot create the archive tables within a client's own transaction.
  'CREATE TABLE users_archive (id int, gone timestamp NULL)',
  'CREATE TABLE orders_archive (id int, user_id int)',
  "INSERT INTO users VALUES (1, '2020-01-01 00:00:00'), (2, '2020-01-01 00:00:00'), (3, NULL)",
  'INSERT INTO orders VALUES (1, 1)',
  'INSERT INTO notes VALUES (1, 1), (2, 2)',
]

const INSERT = 'INSERT INTO orders VALUES (7, 1), (8, 1), (9, 1)'

interface Outcome {
  readonly erased: { readonly rows: number } | Error
  readonly intruded: boolean
  ids(table: string): Promise<number[]>
}

/**
 * Runs `act` in another session while the erase, which has read its rows, waits for a lock of a third
 * session.
 */
async function meanwhile(
  server: ServerAtHand,
  act: string,
  work: (serverPlace: ServerPlace) => Promise<{ readonly rows: number }>,
  check: (outcome: Outcome) => Promise<void>,
): Promise<void> {
  await using serverPlace = await (server.engine === 'postgres' ? onPostgres(server) : onMysql(server))
  for (const statement of SCHEMA) await serverPlace.run(statement)
  const on = { ...server, url: serverPlace.url }
  const holder = await hold(on, 'UPDATE notes SET id = id')
  const erasing = work(serverPlace).catch((error: Error) => error)
  await Promise.race([untilWaiting(server), erasing])
  let isSettled = false
  const intruding = ask(on, act)
    .then(() => true)
    .catch(() => false)
    .finally(() => {
      isSettled = true
    })
  // The act finishes, or waits for the erase.
  for (let rounds = 0; rounds < 100 && !isSettled && (await waitingOn(server)) < 2; rounds++);
  await holder.commit()
  const [erased, intruded] = await Promise.all([erasing, intruding])
  const ids = async (table: string) => {
    const rows: CaseRow[] = await serverPlace.select(table)
    return rows.map(({ id }) => Number(id)).sort()
  }
  await check({ erased, intruded, ids })
}

const follow = { cascade: 'follow', lockTimeoutMs: 20_000 } as const

function cases(
  server: ServerAtHand,
  run: (
    serverPlace: ServerPlace,
    keys: number[],
    options: EraseOptions,
  ) => Promise<{ readonly rows: number }>,
): void {
  it('archives every row that it deletes', () =>
    meanwhile(
      server,
      INSERT,
      (serverPlace) => run(serverPlace, [1, 2], { ...follow, archive: true }),
      async ({ erased, intruded, ids }) => {
        expect(erased).toMatchObject({ rows: intruded ? 6 : 3 })
        expect(await ids('orders')).toEqual([])
        expect(await ids('orders_archive')).toEqual(intruded ? [1, 7, 8, 9] : [1])
      },
    ))

  it('deletes no row inserted meanwhile that refers to its parent under restrict', () =>
    meanwhile(
      server,
      'INSERT INTO orders VALUES (7, 2)',
      (serverPlace) => run(serverPlace, [2], { ...follow, onDelete: { 'orders.user_id': 'restrict' } }),
      async ({ erased, intruded, ids }) => {
        if (!intruded) return expect(erased).toMatchObject({ rows: 1 })
        expect(erased).toMatchObject({ code: 'erase', message: expect.stringContaining('1 rows refer to') })
        expect(await ids('users')).toEqual([1, 2, 3])
        expect(await ids('orders')).toEqual([1, 7])
      },
    ))

  it('deletes no row inserted meanwhile under set null', () =>
    meanwhile(
      server,
      INSERT,
      (serverPlace) => run(serverPlace, [1, 2], { ...follow, onDelete: { 'orders.user_id': 'set null' } }),
      async ({ erased, intruded, ids }) => {
        expect(erased).toMatchObject({ rows: 2 })
        expect(await ids('orders')).toEqual(intruded ? [1, 7, 8, 9] : [1])
      },
    ))

  it('deletes no more rows than the maximum', () =>
    meanwhile(
      server,
      INSERT,
      (serverPlace) => run(serverPlace, [1, 2], { ...follow, max: 3 }),
      async ({ erased, intruded, ids }) => {
        if (!intruded) return expect(erased).toMatchObject({ rows: 3 })
        expect(erased).toMatchObject({ message: expect.stringContaining('the maximum is 3') })
        expect(await ids('users')).toEqual([1, 2, 3])
        expect(await ids('orders')).toEqual([1, 7, 8, 9])
      },
    ))
}

for (const { id } of oneOfEach) {
  describeOn(id, (server) => {
    cases(server, async (serverPlace, keys, options) =>
      erase(await serverPlace.context(), 'users', keys, options),
    )

    it('purges no row that is restored meanwhile', () =>
      meanwhile(
        server,
        'UPDATE users SET gone = NULL WHERE id = 2',
        async (serverPlace) =>
          purge(await serverPlace.context(), { ...follow, column: 'gone', tables: ['users'] }),
        async ({ erased, ids }) => {
          expect(erased).not.toBeInstanceOf(Error)
          const isThere = (await ids('users')).includes(2)
          expect(erased).toMatchObject({ rows: isThere ? 2 : 3 })
          // A session that waited no longer finds the row.
          if (server.engine === 'postgres') expect(isThere).toBe(true)
        },
      ))
  })

  describeOn(id, (server) => {
    // A client's own transaction sees what other sessions commit, and cannot be restarted.
    cases(server, async (serverPlace, keys, options) => {
      await using client = await clientOn(server, serverPlace.url)
      const context = { ...(await serverPlace.context()), ...(await wrap(client.client)) }
      await client.query('BEGIN')
      try {
        const report = await erase(context, 'users', keys, options)
        await client.query('COMMIT')
        return report
      } catch (error) {
        await client.query('ROLLBACK')
        throw error
      }
    })
  })
}
