import type { Client } from '../../client.ts'
import { type Claim, session, verdictOf } from '../claim.ts'
import type { ClaimContext } from '../claim-context.ts'
import { tableSql } from '../dialect.ts'
import { bytes, numberOf, pause } from '../queries.ts'

const ROWS = 20_000

export const logged: Claim = {
  id: 'logged',
  text: 'TRUNCATE is not logged',
  isOfTruncate: true,
  statements: (sql) => {
    const positionQueries = [sql.waitForJournal, sql.journal].filter((step) => step !== undefined)
    const each = ['TRUNCATE TABLE t', 'DELETE FROM t'].flatMap((emptied) => [
      sql.fill('t', ROWS),
      ...positionQueries,
      emptied,
      ...positionQueries,
    ])
    return session(1, tableSql('t'), ...each)
  },
  async test(context) {
    await context.client.run(tableSql('t'))
    const truncated = await journalBytesOf(context, 'TRUNCATE TABLE t')
    const deleted = await journalBytesOf(context, 'DELETE FROM t')
    const idle = await journalBytesOf(context, 'SELECT 1')
    return {
      verdict: verdictOf(truncated <= idle),
      evidence:
        `${ROWS.toLocaleString('en')} rows: TRUNCATE wrote ${bytes(truncated)} into the journal, ` +
        `DELETE ${bytes(deleted)}, SELECT 1 (for comparison) ${bytes(idle)}`,
      figures: { truncated, deleted, idle },
    }
  },
}

/** The minimum of several rounds: other writes of the server can only increase the figure. */
async function journalBytesOf({ client, sql }: ClaimContext, statement: string): Promise<number> {
  const samples: number[] = []
  for (let round = 0; round < 3; round++) {
    await client.run('TRUNCATE TABLE t')
    await client.run(sql.fill('t', ROWS))
    const before = await journalAtRest(client, sql.journal)
    await client.run(statement)
    samples.push((await journalAtRest(client, sql.journal)) - before)
  }
  return Math.min(...samples)
}

const GLANCES = 4
const GLANCE_MS = 50
const DEADLINE_MS = 5000

/**
 * Waits until MySQL's figure, which is late, has settled. What the server purges later is written for the
 * statement too.
 */
async function journalAtRest(client: Client, statement: string | undefined): Promise<number> {
  if (statement === undefined) throw new Error('this server does not report the size of its journal')
  const end = performance.now() + DEADLINE_MS
  let last = await numberOf(client, statement)
  for (let same = 1; same < GLANCES && performance.now() < end; ) {
    await pause(GLANCE_MS)
    const now = await numberOf(client, statement)
    same = now === last ? same + 1 : 1
    last = now
  }
  return last
}
