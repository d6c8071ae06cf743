import { finished } from 'node:stream/promises'
import type { Client } from 'pg'
import { AfreshError, messageOf } from '../../errors.ts'
import type { Row } from '../engine.ts'
import { type Statement, splitScript } from '../sql-script.ts'

interface Target {
  query(sql: string): Promise<Row[]>
  /** Where COPY data can be streamed to; PGlite has no such way. */
  readonly client: Client | undefined
}

/**
 * Runs a file statement by statement, as psql does, so that a file may hold what no transaction may (CREATE INDEX
 * CONCURRENTLY) and an error can name its line. The session's settings are as before afterwards: dumps begin by
 * emptying `search_path`.
 */
export async function runScript(target: Target, sql: string, label: string): Promise<void> {
  try {
    for (const statement of splitScript(sql, 'postgres')) await runStatement(target, statement, label)
  } finally {
    await target.query('ROLLBACK; RESET ALL; RESET ROLE').catch(() => {})
  }
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
