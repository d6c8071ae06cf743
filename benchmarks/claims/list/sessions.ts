import { type Claim, session, verdictOf } from '../claim.ts'
import type { ClaimContext } from '../claim-context.ts'
import { countSql, rowsSql, tableSql } from '../dialect.ts'
import { count, pause, refusal, runAll } from '../queries.ts'

const PATIENT = 3

export const locks: Claim = {
  id: 'locks',
  text: 'TRUNCATE waits for readers, and readers wait for it; DELETE does neither',
  isOfTruncate: true,
  statements: (sql) => [
    ...session(1, tableSql('t'), rowsSql('t'), 'BEGIN', countSql('t')),
    ...session(2, ...sql.limitLockWaits(10), 'DELETE FROM t', 'TRUNCATE TABLE t'),
    ...session(3, '-- while session 2 waits', ...sql.limitLockWaits(1), countSql('t')),
    ...session(1, 'ROLLBACK'),
  ],
  async test(context) {
    const { client: reader, sql } = context
    const [writer, newcomer] = [await context.connect(), await context.connect()]
    await runAll(reader, [tableSql('t'), rowsSql('t'), 'BEGIN', countSql('t')])
    await runAll(writer, sql.limitLockWaits(1))
    const ofDelete = await refusal(writer, 'DELETE FROM t')
    await runAll(writer, sql.limitLockWaits(PATIENT))
    await runAll(newcomer, sql.limitLockWaits(1))
    const waiting = refusal(writer, 'TRUNCATE TABLE t')
    await pause(300)
    const ofNewcomer = await refusal(newcomer, countSql('t'))
    const ofTruncate = await waiting
    await reader.run('ROLLBACK')
    const refused = await refusalWhileHeld(context)
    return {
      verdict: verdictOf(ofTruncate !== undefined && ofNewcomer !== undefined && ofDelete === undefined),
      evidence:
        `beside an open transaction that has read t: DELETE ${fate(ofDelete)}, TRUNCATE ${fate(ofTruncate)}, ` +
        `SELECT of a third session behind it ${fate(ofNewcomer)}; ` +
        `SELECT while a transaction in which TRUNCATE ran has not been ended ${fate(refused)}`,
    }
  },
}

function fate(refused: string | undefined): string {
  return refused === undefined ? 'goes through' : `gets ${refused}`
}

/** The refusal that a reader gets while the transaction that truncated is open. */
async function refusalWhileHeld(context: ClaimContext): Promise<string | undefined> {
  const reader = await context.connect()
  await runAll(reader, context.sql.limitLockWaits(1))
  await runAll(context.client, ['BEGIN', 'TRUNCATE TABLE t'])
  const held = await refusal(reader, countSql('t'))
  await context.client.run('ROLLBACK')
  return held
}

export const snapshot: Claim = {
  id: 'snapshot',
  text: 'TRUNCATE is MVCC-safe: a transaction still sees the rows of its snapshot',
  isOfTruncate: true,
  statements: (sql) => [
    ...session(1, tableSql('t'), rowsSql('t'), tableSql('u'), sql.beginSnapshot, countSql('u')),
    ...session(2, 'TRUNCATE TABLE t'),
    ...session(1, countSql('t'), 'ROLLBACK'),
  ],
  async test(context) {
    const { client } = context
    await runAll(client, [tableSql('t'), rowsSql('t'), tableSql('u')])
    const ofDelete = await rowsSeenAfter(context, 'DELETE FROM t')
    await runAll(client, [rowsSql('t')])
    const ofTruncate = await rowsSeenAfter(context, 'TRUNCATE TABLE t')
    return {
      verdict: verdictOf(ofTruncate === '3 rows'),
      evidence: `an older snapshot of 3 rows sees ${ofDelete} after another session's DELETE, ${ofTruncate} after its TRUNCATE`,
    }
  },
}

/**
 * The rows that a transaction with an earlier snapshot sees. It has not read the table yet, or TRUNCATE would
 * wait.
 */
async function rowsSeenAfter(context: ClaimContext, emptied: string): Promise<string> {
  const [reader, writer] = [await context.connect(), await context.connect()]
  await runAll(reader, [context.sql.beginSnapshot, countSql('u')])
  await writer.run(emptied)
  const refused = await refusal(reader, countSql('t'))
  const rows = refused ?? `${await count(reader, 't')} rows`
  await reader.run('ROLLBACK')
  return rows
}
