import { expect, it } from 'vitest'
import { erase, purge } from '../../src/erase/erase.ts'
import type { EraseOptions } from '../../src/erase/options.ts'
import type { EraseContext } from '../../src/erase/run-transaction.ts'
import { sql } from '../../src/erase/sql.ts'
import { onMysql, onPostgres, type ServerPlace } from '../erase/targets.ts'
import { ask } from '../support/ask.ts'
import { hold } from '../support/hold.ts'
import { describeOn, oneOfEach, type ServerAtHand } from '../support/servers.ts'
import { untilWaiting } from '../support/waiting.ts'

/**
 * 34 targets on each of three servers: a hundred in a full run. The number of a target seeds what is done to
 * it.
 */
const TARGETS = 34
const USERS = 24

type Act = (server: ServerAtHand) => Promise<unknown>

const WAITING_SESSIONS = {
  postgres:
    "SELECT pid AS id FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
  mysql: "SELECT trx_mysql_thread_id AS id FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'",
}

/** Acts on a target while an erase waits in the middle of it. */
const acts: Record<string, Act> = {
  // DROP TABLE waits for the transaction that has read the table. Any later delete would lack proof.
  'the mark is taken away': (on) => ask(on, 'DROP TABLE still_ours'),
  'the mark is renamed': (on) => ask(on, 'ALTER TABLE still_ours RENAME TO not_ours'),
  async 'the session is killed'(on) {
    const isPostgres = on.engine === 'postgres'
    for (const { id } of await ask(on, isPostgres ? WAITING_SESSIONS.postgres : WAITING_SESSIONS.mysql)) {
      await ask(on, isPostgres ? `SELECT pg_terminate_backend(${id})` : `KILL ${id}`)
    }
  },
}

const SCHEMA = [
  'CREATE TABLE still_ours (id int)',
  'CREATE TABLE users (id int PRIMARY KEY, gone timestamp NULL)',
  'CREATE TABLE orders (id int PRIMARY KEY, user_id int, gone timestamp NULL, FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE)',
  'CREATE TABLE notes (id int PRIMARY KEY, user_id int, FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL)',
  'CREATE TABLE users_archive (id int, gone timestamp NULL)',
  'CREATE TABLE orders_archive (id int, user_id int, gone timestamp NULL)',
]

interface Hostile {
  readonly act: string
  /** The user whose note is locked. */
  readonly key: number
  readonly batch: number | undefined
  readonly archive: boolean
  readonly purges: boolean
}

function hostile(seed: number): Hostile {
  const names = Object.keys(acts)
  return {
    act: names[seed % names.length] ?? '',
    key: 1 + ((seed * 7) % USERS),
    batch: seed % 4 === 0 ? undefined : 1 + (seed % 5),
    archive: seed % 2 === 0,
    purges: seed % 5 < 2,
  }
}

async function state(serverPlace: ServerPlace): Promise<Record<string, number[]>> {
  const tables = ['users', 'orders', 'notes', 'users_archive', 'orders_archive']
  const found = tables.map(async (table): Promise<[string, number[]]> => {
    const rows = await serverPlace.select(table)
    return [table, rows.map(({ id }) => Number(id)).sort((a, b) => a - b)]
  })
  return Object.fromEntries(await Promise.all(found))
}

async function play(server: ServerAtHand, { act, key, batch, archive, purges }: Hostile): Promise<void> {
  await using serverPlace = await (server.engine === 'postgres' ? onPostgres(server) : onMysql(server))
  for (const statement of SCHEMA) await serverPlace.run(statement)
  const all = Array.from({ length: USERS }, (_, index) => index + 1)
  const gone = "'2020-01-01 00:00:00'"
  await serverPlace.run(`INSERT INTO users VALUES ${all.map((id) => `(${id}, ${gone})`).join(', ')}`)
  await serverPlace.run(`INSERT INTO orders VALUES ${all.map((id) => `(${id}, ${id}, ${gone})`).join(', ')}`)
  await serverPlace.run(`INSERT INTO notes VALUES ${all.map((id) => `(${id}, ${id})`).join(', ')}`)
  const on = { ...server, url: serverPlace.url }
  const context: EraseContext = { ...(await serverPlace.context()), proof: 'SELECT * FROM still_ours' }
  const options: EraseOptions = {
    cascade: 'follow',
    archive,
    lockTimeoutMs: 30_000,
    ...(batch !== undefined && { batch }),
  }
  const held = await hold(on, `UPDATE notes SET id = id WHERE user_id = ${key}`)
  const erasing = (
    purges
      ? purge(context, { ...options, column: 'gone', tables: ['users'] })
      : erase(context, 'users', sql`1 = 1`, options)
  ).then(
    () => 'done',
    (error: unknown) => String(error),
  )
  try {
    await untilWaiting(server)
    // Removing the mark waits for the erase, or finishes at once.
    const acting = acts[act]?.(on)
    if (act === 'the session is killed') await acting
    else await Promise.race([acting, untilWaiting(server, server.engine === 'postgres' ? 2 : 1)])
    await held.commit()
    await acting
  } finally {
    await held.close()
  }
  const then = await state(serverPlace)
  const outcome = await erasing
  const after = await state(serverPlace)

  // Nothing was deleted after the mark was gone, and a killed session left no partial batch.
  expect(after).toEqual(then)
  const left = new Set(after.users)
  expect(after.orders).toEqual(after.users)
  expect(after.notes).toEqual(all)
  const went = all.filter((id) => !left.has(id))
  if (archive) {
    expect(after.users_archive).toEqual(went)
    expect(after.orders_archive).toEqual(went)
  }
  const isWhole = went.length === USERS || went.length % (batch ?? USERS) === 0
  expect(isWhole).toBe(true)
  if (outcome === 'done') expect(went).toHaveLength(USERS)
  else expect(outcome).toMatch(/still_ours|terminat|clos|lost|interrupted|Stopped/i)
}

for (const { id } of oneOfEach) {
  if (!['postgres:18', 'mysql:9.7', 'mariadb:11.8'].includes(id)) continue
  describeOn(id, (server) => {
    it(`changes none of ${TARGETS} targets that lose their mark or session while it waits`, async () => {
      for (let seed = 0; seed < TARGETS; seed++) {
        const drawn = hostile(seed)
        await play(server, drawn).catch((cause: unknown) => {
          throw new Error(`target ${seed}: ${JSON.stringify(drawn)}`, { cause })
        })
      }
    })
  })
}
