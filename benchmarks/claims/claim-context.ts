import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '../client.ts'
import { connect, sqliteUrl } from '../connect.ts'
import { urlOf } from '../servers.ts'
import { DIALECTS, type Dialect, type EngineId } from './dialect.ts'

/** A database for one claim, dropped afterwards. */
export interface ClaimContext extends AsyncDisposable {
  readonly sql: Dialect
  readonly client: Client
  /** Opens another session, which the context closes. */
  connect(as?: Account): Promise<Client>
}

export interface Account {
  readonly user: string
  readonly password: string
}

/** Creates a database on a running server. */
export async function openOnServer(
  engine: Exclude<EngineId, 'sqlite'>,
  url: string,
  name: string,
): Promise<ClaimContext> {
  const admin = await connect(url)
  const database = `claims_${name.replaceAll('-', '_')}`
  const drop = `DROP DATABASE IF EXISTS ${database}`
  await admin.run(drop)
  await admin.run(`CREATE DATABASE ${database}`)
  const open = (as?: Account) => {
    const target = new URL(urlOf(url, database))
    if (as !== undefined) Object.assign(target, { username: as.user, password: as.password })
    return connect(target.toString())
  }
  return openClaimContext(DIALECTS[engine], open, async () => {
    await admin.run(drop)
    await admin.close()
  })
}

/** Creates a database file. */
export function openOnSqlite(): Promise<ClaimContext> {
  const folder = mkdtempSync(join(tmpdir(), 'afresh-claims-'))
  return openClaimContext(
    DIALECTS.sqlite,
    () => connect(sqliteUrl(join(folder, 'claims.db'))),
    async () => rmSync(folder, { recursive: true }),
  )
}

/** @param end drops the database, after all clients have disconnected */
async function openClaimContext(
  sql: Dialect,
  open: ClaimContext['connect'],
  end: () => Promise<void>,
): Promise<ClaimContext> {
  const clients: Client[] = []
  const openClient: ClaimContext['connect'] = async (as) => {
    const client = await open(as)
    clients.push(client)
    return client
  }
  return {
    sql,
    client: await openClient(),
    connect: openClient,
    async [Symbol.asyncDispose]() {
      for (const client of clients) await client.close()
      await end()
    },
  }
}
