import { type Claim, session, verdictOf } from '../claim.ts'
import { countSql, rowsSql, tableSql } from '../dialect.ts'
import { count, runAll } from '../queries.ts'

export const rollback: Claim = {
  id: 'rollback',
  text: 'TRUNCATE cannot be rolled back',
  isOfTruncate: true,
  statements: () =>
    session(1, tableSql('t'), rowsSql('t'), 'BEGIN', 'TRUNCATE TABLE t', 'ROLLBACK', countSql('t')),
  async test({ client }) {
    await runAll(client, [tableSql('t'), rowsSql('t'), 'BEGIN', 'TRUNCATE TABLE t'])
    const truncated = await count(client, 't')
    await client.run('ROLLBACK')
    const left = await count(client, 't')
    return {
      verdict: verdictOf(left === 0),
      evidence: `3 rows, ${truncated} after TRUNCATE, ${left} after ROLLBACK`,
      figures: { truncated, left },
    }
  },
}

export const commits: Claim = {
  id: 'commits',
  text: 'TRUNCATE is DDL: it commits the open transaction',
  isOfTruncate: true,
  statements: () =>
    session(
      1,
      tableSql('t'),
      tableSql('u'),
      'BEGIN',
      rowsSql('u'),
      'TRUNCATE TABLE t',
      'ROLLBACK',
      countSql('u'),
    ),
  async test({ client }) {
    await runAll(client, [
      tableSql('t'),
      tableSql('u'),
      'BEGIN',
      rowsSql('u'),
      'TRUNCATE TABLE t',
      'ROLLBACK',
    ])
    const left = await count(client, 'u')
    return {
      verdict: verdictOf(left > 0),
      evidence: `3 rows inserted into another table, TRUNCATE, ROLLBACK: ${left} of the 3 are there`,
      figures: { left },
    }
  },
}
