import { expect, it } from 'vitest'
import { open } from '../../src/engine/registry.ts'
import { erase } from '../../src/erase/erase.ts'
import type { EraseOptions } from '../../src/erase/options.ts'
import { sql } from '../../src/erase/sql.ts'
import { onMysql, onPostgres, type ServerPlace } from '../erase/targets.ts'
import { describeOn, oneOfEach, type ServerAtHand } from '../support/servers.ts'

const numbers = Array.from({ length: 40 }, (_, index) => index + 1)

async function filled(server: ServerAtHand): Promise<ServerPlace> {
  const serverPlace = await (server.engine === 'postgres' ? onPostgres(server) : onMysql(server))
  await serverPlace.run(
    'CREATE TABLE users (id int PRIMARY KEY, boss int, FOREIGN KEY (boss) REFERENCES users (id))',
  )
  await serverPlace.run(
    'CREATE TABLE orders (id int PRIMARY KEY, user_id int, FOREIGN KEY (user_id) REFERENCES users (id))',
  )
  await serverPlace.run(
    `INSERT INTO users VALUES ${numbers.map((id) => `(${id}, ${id === 1 ? 'NULL' : id - 1})`).join(', ')}`,
  )
  await serverPlace.run(`INSERT INTO orders VALUES ${numbers.map((id) => `(${id}, ${41 - id})`).join(', ')}`)
  return serverPlace
}

for (const { id } of oneOfEach) {
  describeOn(id, (server) => {
    for (const [name, options] of Object.entries({
      'all at once': {},
      'in batches': { batch: 3 },
      'kept in archive tables': { archive: true },
    } satisfies Record<string, EraseOptions>)) {
      it(`lets four concurrent erases of the same rows succeed, ${name}`, async () => {
        await using serverPlace = await filled(server)
        const { schema } = await serverPlace.context()
        await serverPlace.run('CREATE TABLE users_archive (id int, boss int)')
        await serverPlace.run('CREATE TABLE orders_archive (id int, user_id int)')
        const erased = [1, 11, 5, 20].map(async (from) => {
          const { engine, connection } = await open(serverPlace.url)
          try {
            const where = sql`id >= ${from}`
            return await erase({ engine, connection, schema, lockTimeoutMs: 30_000 }, 'users', where, {
              cascade: 'follow',
              ...options,
            })
          } finally {
            await connection.close()
          }
        })
        const reports = await Promise.all(erased)
        // Exactly one erase deleted each row.
        expect(reports.reduce((sum, { rows }) => sum + rows, 0)).toBe(80)
        expect(await serverPlace.select('users')).toEqual([])
        if ('archive' in options) expect(await serverPlace.select('users_archive')).toHaveLength(40)
      })
    }
  })
}

describeOn('postgres:18', (server) => {
  it('fails if a trigger prevents the deletion of an archived row, and names the trigger', async () => {
    await using serverPlace = await filled(server)
    await serverPlace.run(`CREATE FUNCTION veto() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF old.id = 3 THEN RETURN NULL; END IF; RETURN old; END';
      CREATE TRIGGER veto BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION veto()`)
    await expect(
      erase(await serverPlace.context(), 'orders', { id: [2, 3] }, { archive: true }),
    ).rejects.toMatchObject({
      code: 'erase',
      message: expect.stringMatching(/2 rows of orders were copied, and 1 were deleted.*veto/s),
    })
    expect(await serverPlace.select('orders')).toHaveLength(40)
  })

  it('names the parent table of a partition', async () => {
    await using serverPlace = await filled(server)
    await serverPlace.run(
      'CREATE TABLE e (k int) PARTITION BY LIST (k); CREATE TABLE e_1 PARTITION OF e FOR VALUES IN (1)',
    )
    await expect(erase(await serverPlace.context(), 'e_1', sql`1 = 1`)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('"e_1" is a partition of e'),
    })
  })
})
