import { expect, it } from 'vitest'
import { describeOn } from '../../support/servers.ts'
import { withDatabase } from './with-database.ts'

/** PostgreSQL 18 refuses to truncate `parents`, whatever other tables are named. */
const schema = `CREATE TABLE parents (id serial PRIMARY KEY);
  CREATE TABLE loose (parent int, FOREIGN KEY (parent) REFERENCES parents NOT ENFORCED);
  CREATE TABLE children (parent int REFERENCES parents)`

describeOn('embedded:18', (server) => {
  it('a foreign key that is NOT ENFORCED prevents TRUNCATE: DELETE replaces it', () =>
    withDatabase(server, { schema, strategy: 'truncate' }, async (database, client) => {
      await client.query(`INSERT INTO parents DEFAULT VALUES; INSERT INTO loose VALUES (1), (7);
        INSERT INTO children VALUES (1)`)
      const { steps } = await database.reset()
      expect(steps.map(({ step }) => step)).toEqual([
        'truncate children',
        'truncate loose',
        'delete from parents',
        expect.stringContaining('parents_id_seq'),
      ])
      expect(await database.verify()).toEqual([])
    }))
})
