import knex from 'knex'
import cleaner from 'knex-cleaner'
import { driverUrl } from '../../client.ts'
import { EVERYWHERE, type Method } from '../method.ts'

export const knexCleaner: Method = {
  id: 'knex-cleaner',
  label: 'knex-cleaner',
  kind: 'peer',
  source: 'knex-cleaner',
  note: 'clean(knex), its defaults: TRUNCATE',
  engines: EVERYWHERE,
  async open({ engine, database }) {
    const url = await database('knex_cleaner')
    const db = knex({ client: engine === 'postgres' ? 'pg' : 'mysql2', connection: driverUrl(url) })
    return { url: () => url, reset: () => cleaner.clean(db), close: () => db.destroy() }
  },
}
