import { describe, expect, it } from 'vitest'
import { wrap } from '../../src/engine/registry.ts'
import { erase, type PurgeOptions, purge } from '../../src/erase/erase.ts'
import { onMysql, onPostgres, onSqlite, type ServerPlace } from '../erase/targets.ts'
import { describeOn, engines, type ServerAtHand } from '../support/servers.ts'
import { describeSqlite } from '../support/sqlite.ts'
import { clientOn } from './client.ts'

const HOUR = 3_600_000
const ago = (ms: number) => new Date(Date.now() - ms).toISOString().slice(0, 19).replace('T', ' ')

/** Row 1 was marked a minute ago, row 2 two hours ago, row 3 never. */
async function withZone(
  server: ServerAtHand,
  zone: string,
  type: 'zoned' | 'zoneless',
  body: (purged: (options: PurgeOptions) => Promise<number[]>) => Promise<void>,
): Promise<void> {
  const isPostgres = server.engine === 'postgres'
  await using serverPlace: ServerPlace = await (isPostgres ? onPostgres(server) : onMysql(server))
  const types = isPostgres
    ? { zoned: 'timestamptz', zoneless: 'timestamp' }
    : { zoned: 'timestamp', zoneless: 'datetime' }
  await serverPlace.run(`CREATE TABLE t (id int PRIMARY KEY, deleted_at ${types[type]} NULL)`)
  // Written in UTC, as applications do.
  await serverPlace.run(isPostgres ? "SET TIME ZONE 'UTC'" : "SET time_zone = '+00:00'")
  await serverPlace.run(`INSERT INTO t VALUES (1, '${ago(60_000)}'), (2, '${ago(2 * HOUR)}'), (3, NULL)`)
  await using client = await clientOn(server, serverPlace.url)
  await client.query(
    isPostgres ? `SET TIME ZONE INTERVAL '${zone}' HOUR TO MINUTE` : `SET time_zone = '${zone}'`,
  )
  const context = { ...(await serverPlace.context()), ...(await wrap(client.client)) }
  await body(async (options) => {
    await purge(context, options)
    return (await serverPlace.select('t')).map(({ id }) => Number(id)).sort()
  })
}

for (const { id } of engines) {
  describeOn(id, (server) => {
    for (const zone of ['+09:00', '-05:00'] as const) {
      for (const olderThan of [HOUR, new Date(Date.now() - HOUR)]) {
        const kind = typeof olderThan === 'number' ? 'an age' : 'a date'
        it(`interprets ${kind} as an instant where the column has a time zone, in a session at ${zone}`, () =>
          withZone(server, zone, 'zoned', async (purged) => {
            expect(await purged({ olderThan })).toEqual([1, 3])
          }))

        it(`refuses to guess the zone of a column without time zone, for ${kind} at ${zone}, and accepts option zone`, () =>
          withZone(server, zone, 'zoneless', async (purged) => {
            await expect(purged({ olderThan })).rejects.toMatchObject({
              code: 'usage',
              message: expect.stringMatching(/t\.deleted_at .* without a time zone.*zone: 'utc'/s),
            })
            expect(await purged({ olderThan: 3 * HOUR, zone: 'utc' })).toEqual([1, 2, 3])
            expect(await purged({ olderThan, zone: 'utc' })).toEqual([1, 3])
          }))
      }
    }

    it('keeps a row that was marked today where the column holds days', async () => {
      const isPostgres = server.engine === 'postgres'
      await using target = await (isPostgres ? onPostgres(server) : onMysql(server))
      await target.run('CREATE TABLE t (id int PRIMARY KEY, deleted_at date)')
      const [today, yesterday, before] = [0, 24 * HOUR, 48 * HOUR].map((ms) => ago(ms).slice(0, 10))
      await target.run(`INSERT INTO t VALUES (1, '${today}'), (2, '${yesterday}'), (3, '${before}')`)
      const context = await target.context()
      for (const zone of ['utc', 'session'] as const) {
        const dry = { zone, dryRun: true }
        expect(await purge(context, { ...dry, olderThan: 24 * HOUR })).toMatchObject({ rows: 1 })
        expect(await purge(context, { ...dry, olderThan: new Date(`${today}T00:00:00Z`) })).toMatchObject({
          rows: 2,
        })
      }
      expect(await purge(context, { olderThan: 1000 })).toMatchObject({ rows: 2 })
      expect(await target.select('t')).toMatchObject([{ id: 1 }])
    })

    for (const type of [
      'varchar(40)',
      'char(40)',
      'text',
      'time',
      ...(server.engine === 'postgres' ? ['json'] : ['year']),
    ]) {
      it(`refuses ${type}, which is no time, by name`, async () => {
        await using target = await (server.engine === 'postgres' ? onPostgres(server) : onMysql(server))
        await target.run(`CREATE TABLE t (id int PRIMARY KEY, deleted_at ${type})`)
        await expect(purge(await target.context(), { olderThan: HOUR })).rejects.toMatchObject({
          code: 'usage',
          message: expect.stringMatching(/t\.deleted_at is .*, which is not a time.*a string/s),
        })
      })
    }

    if (server.engine === 'postgres') {
      it('reads a domain as the type that it is based on', async () => {
        await using target = await onPostgres(server)
        await target.run('CREATE DOMAIN moment AS timestamptz; CREATE DOMAIN label AS text')
        await target.run('CREATE TABLE t (id int PRIMARY KEY, deleted_at moment, said label)')
        await target.run(`INSERT INTO t VALUES (1, now()), (2, now() - interval '2 hours')`)
        const context = await target.context()
        await expect(purge(context, { column: 'said', olderThan: HOUR })).rejects.toThrow(
          /said is public.label, which is not a time/,
        )
        expect(await purge(context, { olderThan: HOUR })).toMatchObject({ rows: 1 })
      })
    }

    it('requires no zone in a UTC session', () =>
      withZone(server, '+00:00', 'zoneless', async (purged) => {
        expect(await purged({ olderThan: HOUR })).toEqual([1, 3])
      }))
  })
}

describe('SQLite', () =>
  describeSqlite(({ open }) => {
    const stored: Record<string, (time: number) => string> = {
      text: (time) => `'${ago(time)}'`,
      'text as Node writes it': (time) => `'${new Date(Date.now() - time).toISOString()}'`,
      milliseconds: (time) => String(Date.now() - time),
      seconds: (time) => String(Math.round((Date.now() - time) / 1000)),
      'a Julian day': (time) => String((Date.now() - time) / 86_400_000 + 2_440_587.5),
    }
    for (const [name, write] of Object.entries(stored)) {
      it(`reads a DATETIME that holds ${name}`, async () => {
        await using target = onSqlite(open)
        await target.run('CREATE TABLE t (id INTEGER PRIMARY KEY, deleted_at DATETIME)')
        await target.run(`INSERT INTO t VALUES (1, ${write(60_000)}), (2, ${write(2 * HOUR)}), (3, NULL)`)
        const context = await target.context()
        const range = { lt: new Date(Date.now() - HOUR) }
        expect(await erase(context, 't', { deleted_at: range }, { dryRun: true })).toMatchObject({ rows: 1 })
        expect(await purge(context, { olderThan: new Date(Date.now() - HOUR), dryRun: true })).toMatchObject({
          rows: 1,
        })
        expect(await purge(context, { olderThan: HOUR })).toMatchObject({ rows: 1 })
        expect(await target.select('t')).toMatchObject([{ id: 1 }, { id: 3 }])
      })
    }

    it('keeps a row that was marked today where only the day is stored', async () => {
      await using target = onSqlite(open)
      await target.run('CREATE TABLE t (id INTEGER PRIMARY KEY, deleted_at DATE)')
      const [today, yesterday] = [ago(0).slice(0, 10), ago(24 * HOUR).slice(0, 10)]
      await target.run(`INSERT INTO t VALUES (1, '${today}'), (2, '${yesterday}')`)
      const context = await target.context()
      const midnight = new Date(`${today}T00:00:00Z`)
      expect(await purge(context, { olderThan: midnight, dryRun: true })).toMatchObject({ rows: 1 })
      expect(await purge(context, { olderThan: 1000 })).toMatchObject({ rows: 1 })
      expect(await target.select('t')).toMatchObject([{ id: 1 }])
    })

    it.each(['2099', '12:00', 'now', '0', ''])('reports %j, which SQLite reads as a time', async (text) => {
      await using target = onSqlite(open)
      await target.run('CREATE TABLE t (id INTEGER PRIMARY KEY, deleted_at TEXT)')
      await target.run(`INSERT INTO t VALUES (1, '${text}')`)
      await expect(purge(await target.context(), { olderThan: HOUR })).rejects.toThrow(
        /1 rows of t have an invalid/,
      )
      const past = { deleted_at: { lt: new Date() } }
      expect(await erase(await target.context(), 't', past)).toMatchObject({ rows: 0 })
    })

    it('reports invalid times instead of keeping their rows', async () => {
      await using target = onSqlite(open)
      await target.run('CREATE TABLE t (id INTEGER PRIMARY KEY, deleted_at DATETIME)')
      await target.run("INSERT INTO t VALUES (1, 'yesterday'), (2, 17)")
      await expect(purge(await target.context(), { olderThan: HOUR })).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringMatching(/2 rows of t have an invalid time in deleted_at/),
      })
    })
  }))
