import { finished } from 'node:stream/promises'
import type { Client } from 'pg'
import { AfreshError, messageOf } from '../../errors.ts'
import type { Row } from '../connection.ts'
import { type Statement, splitScript } from '../sql/script.ts'

interface Target {
  query(sql: string): Promise<Row[]>
  /** The client that COPY data can be streamed to; PGlite has none. */
  readonly client: Client | undefined
}

/**
 * Runs a file statement by statement, as psql does. The file may therefore contain statements that no
 * transaction allows (CREATE INDEX CONCURRENTLY), and errors name the line. Resets the session's settings
 * afterwards: dumps begin by emptying `search_path`.
 */
export async function runScript(target: Target, sql: string, label: string): Promise<void> {
  const statements = splitScript(sql, 'postgres', { backslashEscapes: await escapes(target, sql) })
  for (const statement of statements) refuseOtherDatabase(statement, label)
  try {
    for (const statement of statements) await runStatement(target, statement, label)
  } finally {
    await target.query('ROLLBACK; RESET ALL; RESET ROLE').catch(() => {})
  }
}

/** Whether backslashes are escapes. The server reports that setting to psql. */
async function escapes(target: Target, sql: string): Promise<boolean> {
  if (!sql.includes('\\')) return false
  const [row] = await target.query(
    `SELECT pg_catalog.current_setting('standard_conforming_strings') AS conforming`,
  )
  return row?.conforming === 'off'
}

async function runStatement(target: Target, statement: Statement, label: string): Promise<void> {
  try {
    if (statement.copy === undefined) await target.query(statement.sql)
    else await copyIn(target.client, statement.sql, statement.copy.data)
  } catch (cause) {
    throw new AfreshError(
      'baseline',
      `${label}:${statement.line}: ${messageOf(cause)}\n  in: ${shortened(statement.sql)}`,
      {
        next: 'Correct the statement; nothing of this baseline was kept.',
        cause,
      },
    )
  }
}

/** A script that creates or drops databases would affect databases that afresh does not own. */
function refuseOtherDatabase({ sql, line }: Statement, label: string): void {
  const verb = /^(?:create|drop|alter)\b/i.exec(sql)?.[0]
  if (verb === undefined) return
  // Comments may separate the two words; the splitter drops those before a statement.
  const [rest] = splitScript(sql.slice(verb.length), 'postgres')
  if (rest === undefined || !/^database\b/i.test(rest.sql)) return
  throw new AfreshError(
    'baseline',
    `${label}:${line}: the script makes or changes a database of its own.\n  ${shortened(sql)}`,
    {
      next: `Remove the statement: afresh has made the database that the script is to fill. Settings of that one: ${OWN_SETTING}`,
    },
  )
}

/** Clones of the template get the setting too. */
const OWN_SETTING = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET …', current_database()); END $$."

async function copyIn(client: Client | undefined, sql: string, data: string): Promise<void> {
  if (client === undefined) throw new Error('COPY … FROM stdin needs a connection of `pg`')
  const { from } = await import('pg-copy-streams')
  const stream = client.query(from(sql))
  stream.end(data)
  await finished(stream)
}

function shortened(sql: string): string {
  const line = sql.trim().replaceAll(/\s+/g, ' ')
  return line.length > 200 ? `${line.slice(0, 200)} …` : line
}
