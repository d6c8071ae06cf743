import { type Client, connect } from '../client.ts'
import { referenceSql, schemaSql, tableNames } from '../schema.ts'
import { type BenchServer, urlOf } from '../servers.ts'
import type { Place } from './way.ts'

/** Creates databases with one schema on one server, and drops them at the end. */
export async function prepareGround(
  server: BenchServer,
  tables: number,
  hasReference: boolean,
): Promise<Place & AsyncDisposable> {
  const { engine, url } = server.running
  const admin = await connect(url)
  const sql = [schemaSql(engine, tables), ...(hasReference ? [referenceSql(engine)] : [])].join(';\n')
  const made: string[] = []
  const create = async (name: string, suffix = '') => {
    await admin.run(`CREATE DATABASE ${name}${suffix}`)
    made.push(name)
    return urlOf(url, name)
  }
  const fill = async (url: string) => {
    const client = await connect(url)
    await client.run(sql)
    await client.close()
    return url
  }
  if (engine === 'postgres') await fill(await create('bench_template'))
  return {
    server,
    engine,
    tables: tableNames(tables),
    hasReference,
    schemaSql: sql,
    admin,
    database: async (name) => {
      const named = databaseName(name)
      return engine === 'postgres' ? create(named, ' TEMPLATE bench_template') : fill(await create(named))
    },
    async [Symbol.asyncDispose]() {
      for (const name of made.toReversed()) await drop(admin, name, engine === 'postgres')
      await admin.close()
    },
  }
}

const databaseName = (way: string) => `bench_${way.replaceAll('-', '_')}`

async function drop(admin: Client, name: string, isPostgres: boolean): Promise<void> {
  await admin.run(`DROP DATABASE IF EXISTS ${name}${isPostgres ? ' WITH (FORCE)' : ''}`)
}
