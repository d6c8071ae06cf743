import { expect, it } from 'vitest'
import { erase } from '../../src/erase/erase.ts'
import { sql } from '../../src/erase/sql.ts'
import { onMysql, onPostgres } from '../erase/targets.ts'
import { describeOn } from '../support/servers.ts'

const all = sql`1 = 1`

describeOn('postgres:18', (server) => {
  it.each(['DO ALSO DELETE', 'DO INSTEAD DELETE'])(
    'refuses to erase from a table with a rule %s on another server, and names it',
    async (what) => {
      await using far = await onPostgres(server)
      await using near = await onPostgres(server)
      await far.run('CREATE TABLE far (id int); INSERT INTO far VALUES (1)')
      await near.run(`CREATE EXTENSION postgres_fdw;
        CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname '${new URL(far.url).pathname.slice(1)}');
        CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (user 'postgres');
        CREATE FOREIGN TABLE far (id int) SERVER s;
        CREATE TABLE events (id int PRIMARY KEY); INSERT INTO events VALUES (1);
        CREATE RULE also AS ON DELETE TO events ${what} FROM far WHERE id = OLD.id`)
      for (const options of [{}, { cascade: 'declared' }, { cascade: 'follow', batch: 1 }] as const) {
        await expect(erase(await near.context(), 'events', all, options)).rejects.toMatchObject({
          code: 'erase',
          message: expect.stringMatching(/Rules of these tables use tables on another server: events/),
        })
      }
      expect(await far.select('far')).toHaveLength(1)
      expect(await near.select('events')).toHaveLength(1)
      await near.run('ALTER TABLE events DISABLE RULE also')
      expect(await erase(await near.context(), 'events', all)).toMatchObject({ rows: 1 })
    },
  )

  for (const [name, parent, child] of [
    ['a child', 'CREATE TABLE events (id int, kind int)', 'INHERITS (events)'],
    [
      'a partition',
      'CREATE TABLE events (id int, kind int) PARTITION BY LIST (kind)',
      'PARTITION OF events FOR VALUES IN (2)',
    ],
  ] as const) {
    it(`refuses to erase from a table with ${name} on another server, and names it`, async () => {
      await using far = await onPostgres(server)
      await using serverPlace = await onPostgres(server)
      await far.run('CREATE TABLE far (id int, kind int); INSERT INTO far VALUES (1, 2), (2, 2)')
      const { pathname } = new URL(far.url)
      await serverPlace.run(`CREATE EXTENSION postgres_fdw;
        CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname '${pathname.slice(1)}');
        CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (user 'postgres'); ${parent}`)
      const columns = child.startsWith('INHERITS') ? '()' : ''
      await serverPlace.run(
        `CREATE FOREIGN TABLE far ${child.startsWith('INHERITS') ? columns : ''} ${child} SERVER s`,
      )
      const context = await serverPlace.context()
      for (const options of [{}, { cascade: 'declared' }, { cascade: 'follow', batch: 1 }] as const) {
        await expect(erase(context, 'events', all, options)).rejects.toMatchObject({
          code: 'erase',
          message: expect.stringMatching(/on another server.*far/s),
        })
      }
      expect(await far.select('far')).toHaveLength(2)
    })
  }
})

for (const id of ['mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, (server) => {
    it('refuses to erase rows that a foreign key of another database refers to', async () => {
      await using serverPlace = await onMysql(server)
      await using far = await onMysql(server)
      const near = new URL(serverPlace.url).pathname.slice(1)
      await serverPlace.run('CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1)')
      await far.run(
        `CREATE TABLE notes (id int, user_id int, FOREIGN KEY (user_id) REFERENCES \`${near}\`.users (id) ON DELETE CASCADE); INSERT INTO notes VALUES (1, 1)`,
      )
      const context = await serverPlace.context()
      for (const cascade of ['error', 'follow', 'declared'] as const) {
        await expect(erase(context, 'users', all, { cascade })).rejects.toMatchObject({
          code: 'erase',
          message: expect.stringMatching(/another database refer to those: .*notes/s),
        })
      }
      expect(await far.select('notes')).toHaveLength(1)
      await far.run('DROP TABLE notes')
    })
  })
}
