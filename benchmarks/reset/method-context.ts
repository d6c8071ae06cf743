import { type Client, connect } from '../client.ts'
import { referenceSql, schemaSql, tableNames } from '../schema.ts'
import { type BenchServer, urlOf } from '../servers.ts'
import type { MethodContext } from './method.ts'

/** Creates databases with one schema on one server, and drops them at the end. */
export async function openMethodContext(
  server: BenchServer,
  tables: number,
  hasReference: boolean,
): Promise<MethodContext & AsyncDisposable> {
  const { engine, url } = server.running
  const admin = await connect(url)
  const sql = [schemaSql(engine, tables), ...(hasReference ? [referenceSql(engine)] : [])].join(';\n')
  const created: string[] = []
  const create = async (name: string, suffix = '') => {
    await admin.run(`CREATE DATABASE ${name}${suffix}`)
    created.push(name)
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
      for (const name of created.toReversed()) await drop(admin, name, engine === 'postgres')
      await admin.close()
    },
  }
}

const databaseName = (method: string) => `bench_${method.replaceAll('-', '_')}`

async function drop(admin: Client, name: string, isPostgres: boolean): Promise<void> {
  await admin.run(`DROP DATABASE IF EXISTS ${name}${isPostgres ? ' WITH (FORCE)' : ''}`)
}
