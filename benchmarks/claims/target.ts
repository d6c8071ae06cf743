import { sqliteVersion } from '../connect.ts'
import { startBenchServer } from '../servers.ts'
import type { Answer, Claim } from './claim.ts'
import { type ClaimContext, openOnServer, openOnSqlite } from './claim-context.ts'
import { type EngineId, tableSql } from './dialect.ts'
import { refusal } from './queries.ts'

/** The driver by which SQLite is tested. */
const SQLITE = 'better-sqlite3'

/** Where claims are tested: a server, or SQLite. */
export interface ClaimTarget {
  readonly id: string
  readonly title: string
  readonly version: string
  readonly engine: EngineId
  /** @param name name of the database, if it needs one */
  open(name: string): Promise<ClaimContext>
  close(): Promise<void>
}

export const ALL_TARGETS: readonly string[] = [
  'postgres:18',
  'postgres:17',
  'postgres:15',
  'embedded:18',
  'mysql:9.7',
  'mariadb:11.8',
  'mariadb:10.11',
  SQLITE,
]

export async function openTarget(id: string): Promise<ClaimTarget> {
  if (id === SQLITE) {
    const [title, version] = [`SQLite by ${SQLITE}`, sqliteVersion()]
    return { id, title, version, engine: 'sqlite', open: openOnSqlite, close: async () => {} }
  }
  const { title, version: fullVersion, running } = await startBenchServer(id)
  const { engine, url } = running
  // The text after the number names the builder.
  const version = /^[\d.]+/.exec(fullVersion)?.[0] ?? fullVersion
  return {
    id,
    title,
    version,
    engine,
    open: (name) => openOnServer(engine, url, name),
    close: running.stop,
  }
}

export async function answerOn(target: Pick<ClaimTarget, 'open'>, claim: Claim): Promise<Answer> {
  await using context = await target.open(claim.id)
  if (claim.isOfTruncate) {
    const missing = await refusalOfTruncate(context)
    if (missing !== undefined) return { verdict: 'no TRUNCATE', evidence: `\`TRUNCATE TABLE t\`: ${missing}` }
  }
  return await claim.test(context)
}

async function refusalOfTruncate({ client }: ClaimContext): Promise<string | undefined> {
  await client.run(tableSql('probe'))
  const missing = await refusal(client, 'TRUNCATE TABLE probe')
  await client.run('DROP TABLE probe')
  return missing
}
