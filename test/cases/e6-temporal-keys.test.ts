import { expect, it } from 'vitest'
import { erase } from '../../src/erase/erase.ts'
import { type EraseTarget, onPostgres } from '../erase/targets.ts'
import { describeOn } from '../support/servers.ts'

const SCHEMA = `
  CREATE EXTENSION btree_gist;
  CREATE TABLE rooms (id int, valid_at daterange, gone timestamptz, PRIMARY KEY (id, valid_at WITHOUT OVERLAPS));
  CREATE TABLE stays (id int PRIMARY KEY, room int, valid_at daterange, gone timestamptz,
    FOREIGN KEY (room, PERIOD valid_at) REFERENCES rooms (id, PERIOD valid_at));
  INSERT INTO rooms VALUES (1, '[2026-01-01,2026-02-01)'), (1, '[2026-02-01,2026-03-01)'), (2, '[2026-01-01,2026-03-01)');
  INSERT INTO stays VALUES (1, 1, '[2026-01-05,2026-01-09)'), (2, 1, '[2026-01-30,2026-02-03)'),
    (3, 1, '[2026-02-10,2026-02-12)'), (4, 2, '[2026-01-05,2026-01-09)')`

describeOn('postgres:18', (server) => {
  const opened = async (
    body: (target: EraseTarget, left: (where?: string) => Promise<number[]>) => Promise<void>,
  ) => {
    await using serverPlace = await onPostgres(server)
    await serverPlace.run(SCHEMA)
    const left = async () => {
      const rows = await serverPlace.select('stays')
      return rows
        .filter(({ gone }) => gone === null)
        .map(({ id }) => Number(id))
        .sort()
    }
    await body(serverPlace, left)
  }
  const january = { id: 1, valid_at: '[2026-01-01,2026-02-01)' }

  it('erases rows that refer to a period by overlap', () =>
    opened(async (target, left) => {
      expect(await erase(await target.context(), 'rooms', january, { cascade: 'follow' })).toMatchObject({
        rows: 3,
      })
      expect(await left()).toEqual([3, 4])
    }))

  it('soft-deletes them too', () =>
    opened(async (target, left) => {
      const options = { cascade: 'follow', softDelete: 'gone' } as const
      expect(await erase(await target.context(), 'rooms', january, options)).toMatchObject({ rows: 3 })
      expect(await left()).toEqual([3, 4])
    }))

  it('is blocked by them under restrict', () =>
    opened(async (target) => {
      const onDelete = { 'stays(room, valid_at)': 'restrict' } as const
      const context = await target.context()
      await expect(erase(context, 'rooms', january, { cascade: 'follow', onDelete })).rejects.toMatchObject({
        message: expect.stringContaining('2 rows refer'),
      })
    }))
})
