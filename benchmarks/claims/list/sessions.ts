import { count, pause, refusal, runAll } from '../ask.ts'
import { type Claim, session, verdictOf } from '../claim.ts'
import { countSql, rowsSql, tableSql } from '../dialect.ts'
import type { Ground } from '../ground.ts'

const PATIENT = 3

export const locks: Claim = {
  id: 'locks',
  text: 'TRUNCATE waits for readers, and readers wait for it; DELETE does neither',
  isOfTruncate: true,
  statements: (sql) => [
    ...session(1, tableSql('t'), rowsSql('t'), 'BEGIN', countSql('t')),
    ...session(2, ...sql.patience(10), 'DELETE FROM t', 'TRUNCATE TABLE t'),
    ...session(3, '-- while session 2 waits', ...sql.patience(1), countSql('t')),
    ...session(1, 'ROLLBACK'),
  ],
  async test(ground) {
    const { client: reader, sql } = ground
    const [writer, newcomer] = [await ground.connect(), await ground.connect()]
    await runAll(reader, [tableSql('t'), rowsSql('t'), 'BEGIN', countSql('t')])
    await runAll(writer, sql.patience(1))
    const ofDelete = await refusal(writer, 'DELETE FROM t')
    await runAll(writer, sql.patience(PATIENT))
    await runAll(newcomer, sql.patience(1))
    const waiting = refusal(writer, 'TRUNCATE TABLE t')
    await pause(300)
    const ofNewcomer = await refusal(newcomer, countSql('t'))
    const ofTruncate = await waiting
    await reader.run('ROLLBACK')
    const held = await refusalWhileHeld(ground)
    return {
      verdict: verdictOf(ofTruncate !== undefined && ofNewcomer !== undefined && ofDelete === undefined),
      evidence:
        `beside an open transaction that has read t: DELETE ${fate(ofDelete)}, TRUNCATE ${fate(ofTruncate)}, ` +
        `SELECT of a third session behind it ${fate(ofNewcomer)}; ` +
        `SELECT while a transaction in which TRUNCATE ran has not been ended ${fate(held)}`,
    }
  },
}

function fate(refused: string | undefined): string {
  return refused === undefined ? 'goes through' : `gets ${refused}`
}

/** The refusal that a reader gets while the transaction that truncated is open. */
async function refusalWhileHeld(ground: Ground): Promise<string | undefined> {
  const reader = await ground.connect()
  await runAll(reader, ground.sql.patience(1))
  await runAll(ground.client, ['BEGIN', 'TRUNCATE TABLE t'])
  const held = await refusal(reader, countSql('t'))
  await ground.client.run('ROLLBACK')
  return held
}

export const snapshot: Claim = {
  id: 'snapshot',
  text: 'TRUNCATE is MVCC-safe: a transaction goes on seeing the rows of its snapshot',
  isOfTruncate: true,
  statements: (sql) => [
    ...session(1, tableSql('t'), rowsSql('t'), tableSql('u'), sql.beginSnapshot, countSql('u')),
    ...session(2, 'TRUNCATE TABLE t'),
    ...session(1, countSql('t'), 'ROLLBACK'),
  ],
  async test(ground) {
    const { client } = ground
    await runAll(client, [tableSql('t'), rowsSql('t'), tableSql('u')])
    const ofDelete = await seenAfter(ground, 'DELETE FROM t')
    await runAll(client, [rowsSql('t')])
    const ofTruncate = await seenAfter(ground, 'TRUNCATE TABLE t')
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
async function seenAfter(ground: Ground, emptied: string): Promise<string> {
  const [reader, writer] = [await ground.connect(), await ground.connect()]
  await runAll(reader, [ground.sql.beginSnapshot, countSql('u')])
  await writer.run(emptied)
  const refused = await refusal(reader, countSql('t'))
  const seen = refused ?? `${await count(reader, 't')} rows`
  await reader.run('ROLLBACK')
  return seen
}
