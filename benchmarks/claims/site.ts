import { type ServerId, startBenchServer } from '../servers.ts'
import { refusal } from './ask.ts'
import type { Answer, Claim } from './claim.ts'
import { type EngineId, tableSql } from './dialect.ts'
import { type Ground, serverGround } from './ground.ts'
import { isSqliteKind, sqliteGround, sqliteKinds, sqliteVersion } from './sqlite.ts'

/** Where claims are tested: a server, or SQLite with one of its drivers. */
export interface Site {
  readonly id: string
  readonly title: string
  readonly version: string
  readonly engine: EngineId
  /** @param name name of the database, if it needs one */
  ground(name: string): Promise<Ground>
  close(): Promise<void>
}

export const ALL_SITES: readonly ServerId[] = [
  'postgres:18',
  'postgres:17',
  'postgres:15',
  'embedded:18',
  'mysql:9.7',
  'mariadb:11.8',
  'mariadb:10.11',
  ...sqliteKinds,
]

export async function openSite(id: string): Promise<Site> {
  if (isSqliteKind(id)) {
    const version = await sqliteVersion(id)
    const title = `SQLite by ${id}`
    return { id, title, version, engine: 'sqlite', ground: () => sqliteGround(id), close: async () => {} }
  }
  const { title, version: said, running } = await startBenchServer(id)
  const { engine, url } = running
  // The text after the number names the builder.
  const version = /^[\d.]+/.exec(said)?.[0] ?? said
  return {
    id,
    title,
    version,
    engine,
    ground: (name) => serverGround(engine, url, name),
    close: running.stop,
  }
}

export async function answerOn(site: Pick<Site, 'ground'>, claim: Claim): Promise<Answer> {
  await using ground = await site.ground(claim.id)
  if (claim.isOfTruncate) {
    const missing = await refusalOfTruncate(ground)
    if (missing !== undefined) return { verdict: 'no TRUNCATE', evidence: `\`TRUNCATE TABLE t\`: ${missing}` }
  }
  return await claim.test(ground)
}

async function refusalOfTruncate({ client }: Ground): Promise<string | undefined> {
  await client.run(tableSql('probe'))
  const missing = await refusal(client, 'TRUNCATE TABLE probe')
  await client.run('DROP TABLE probe')
  return missing
}
