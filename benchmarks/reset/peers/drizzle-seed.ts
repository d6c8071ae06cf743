import * as mysql from 'drizzle-orm/mysql-core'
import { drizzle as drizzleMysql } from 'drizzle-orm/mysql2'
import { drizzle as drizzlePostgres } from 'drizzle-orm/node-postgres'
import * as postgres from 'drizzle-orm/pg-core'
import { reset } from 'drizzle-seed'
import { createConnection } from 'mysql2/promise'
import pg from 'pg'
import { driverUrl } from '../../client.ts'
import { EVERYWHERE, type Method, type MethodContext, type OpenMethod } from '../method.ts'

export const drizzleSeed: Method = {
  id: 'drizzle-seed',
  label: 'drizzle-seed reset',
  kind: 'peer',
  source: 'drizzle-seed',
  engines: EVERYWHERE,
  async open(context) {
    const url = await context.database('drizzle_seed')
    return context.engine === 'postgres' ? onPostgres(context, url) : onMysql(context, url)
  },
}

async function onPostgres(context: MethodContext, url: string): Promise<OpenMethod> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const db = drizzlePostgres(client)
  const schema = schemaOf(context, (name) =>
    postgres.pgTable(name, {
      id: postgres.serial().primaryKey(),
      name: postgres.text(),
      parent: postgres.integer(),
    }),
  )
  return { url: () => url, reset: () => reset(db, schema), close: () => client.end() }
}

async function onMysql(context: MethodContext, url: string): Promise<OpenMethod> {
  const client = await createConnection(driverUrl(url))
  const db = drizzleMysql(client)
  const schema = schemaOf(context, (name) =>
    mysql.mysqlTable(name, { id: mysql.serial().primaryKey(), name: mysql.text(), parent: mysql.int() }),
  )
  return { url: () => url, reset: () => reset(db, schema), close: () => client.end() }
}

function schemaOf<T>({ tables, hasReference }: MethodContext, table: (name: string) => T): Record<string, T> {
  const names = hasReference ? [...tables, 'reference'] : tables
  return Object.fromEntries(names.map((name) => [name, table(name)]))
}
