import { type Claim, session, verdictOf } from '../claim.ts'
import type { ClaimContext } from '../claim-context.ts'
import { countSql, rowsSql, tableSql } from '../dialect.ts'
import { count, refusal, runAll } from '../queries.ts'

const FIRED = 'CREATE TABLE fired (event varchar(10))'

export const triggers: Claim = {
  id: 'triggers',
  text: 'TRUNCATE fires no triggers',
  isOfTruncate: true,
  statements: (sql) =>
    session(
      1,
      tableSql('t'),
      FIRED,
      ...sql.trigger('t', 'DELETE'),
      rowsSql('t'),
      'TRUNCATE TABLE t',
      countSql('fired'),
      rowsSql('t'),
      'DELETE FROM t',
      countSql('fired'),
      ...sql.trigger('t', 'TRUNCATE'),
      'TRUNCATE TABLE t',
      'SELECT event, COUNT(*) FROM fired GROUP BY event',
    ),
  async test({ client, sql }) {
    await runAll(client, [tableSql('t'), FIRED, ...sql.trigger('t', 'DELETE'), rowsSql('t')])
    await client.run('TRUNCATE TABLE t')
    const byTruncate = await count(client, 'fired')
    await runAll(client, [rowsSql('t'), 'DELETE FROM t'])
    const byDelete = (await count(client, 'fired')) - byTruncate
    const truncateTrigger = await testTruncateTrigger({ client, sql })
    const ofOwn =
      truncateTrigger.refused === undefined
        ? `fired ${truncateTrigger.fired}×`
        : `is refused (${truncateTrigger.refused})`
    return {
      verdict: byTruncate === 0 && truncateTrigger.fired > 0 ? 'depends' : verdictOf(byTruncate === 0),
      evidence: `3 rows, trigger AFTER DELETE: TRUNCATE fired it ${byTruncate}×, DELETE ${byDelete}×; a trigger AFTER TRUNCATE ${ofOwn}`,
      figures: { byTruncate, byDelete, own: truncateTrigger.fired },
    }
  },
}

/** Tests a trigger on TRUNCATE itself. */
async function testTruncateTrigger({ client, sql }: Pick<ClaimContext, 'client' | 'sql'>) {
  const before = await count(client, 'fired')
  for (const statement of sql.trigger('t', 'TRUNCATE')) {
    const refused = await refusal(client, statement)
    if (refused !== undefined) return { refused, fired: 0 }
  }
  await client.run('TRUNCATE TABLE t')
  return { refused: undefined, fired: (await count(client, 'fired')) - before }
}

const FAMILY = [
  tableSql('parent'),
  'CREATE TABLE child (id integer PRIMARY KEY, parent integer, FOREIGN KEY (parent) REFERENCES parent (id))',
  rowsSql('parent'),
]

export const foreignKeys: Claim = {
  id: 'foreign-keys',
  text: 'TRUNCATE works despite foreign keys if the referring tables are empty',
  isOfTruncate: true,
  statements: (sql) =>
    session(
      1,
      ...FAMILY,
      'TRUNCATE TABLE parent',
      'DELETE FROM parent',
      rowsSql('parent'),
      ...sql.truncateParent,
      countSql('parent'),
    ),
  async test({ client, sql }) {
    await runAll(client, FAMILY)
    const refused = await refusal(client, 'TRUNCATE TABLE parent')
    if (refused === undefined) return { verdict: 'true', evidence: 'TRUNCATE of the parent went through' }
    const ofDelete = (await refusal(client, 'DELETE FROM parent')) ?? 'goes through'
    await runAll(client, [...(ofDelete === 'goes through' ? [rowsSql('parent')] : []), ...sql.truncateParent])
    const left = await count(client, 'parent')
    return {
      verdict: 'false',
      evidence: `the child is empty, and yet: ${refused}; DELETE ${ofDelete}; ${left} rows after \`${sql.truncateParent.join('; ')}\``,
      figures: { left },
    }
  },
}

const LIMITED_ACCOUNT = { user: 'claims_clerk', password: 'of-no-worth-1' }

export const privilege: Claim = {
  id: 'privilege',
  text: 'The DELETE privilege permits TRUNCATE',
  isOfTruncate: true,
  statements: (sql) => [
    ...session(1, tableSql('t'), rowsSql('t'), sql.user.make(LIMITED_ACCOUNT.user, LIMITED_ACCOUNT.password)),
    ...session(1, `GRANT SELECT, DELETE ON t TO ${LIMITED_ACCOUNT.user}`),
    ...session(2, `-- connected as ${LIMITED_ACCOUNT.user}`, 'TRUNCATE TABLE t', 'DELETE FROM t'),
    ...session(1, `GRANT ${sql.truncatePrivilege} ON t TO ${LIMITED_ACCOUNT.user}`),
    ...session(2, 'TRUNCATE TABLE t'),
    ...session(1, 'DROP TABLE t', sql.user.drop(LIMITED_ACCOUNT.user)),
  ],
  async test(context) {
    const { client, sql } = context
    await runAll(client, [tableSql('t'), rowsSql('t'), sql.user.drop(LIMITED_ACCOUNT.user)])
    await client.run(sql.user.make(LIMITED_ACCOUNT.user, LIMITED_ACCOUNT.password))
    try {
      await client.run(`GRANT SELECT, DELETE ON t TO ${LIMITED_ACCOUNT.user}`)
      const limited = await context.connect(LIMITED_ACCOUNT)
      const refused = await refusal(limited, 'TRUNCATE TABLE t')
      if (refused === undefined)
        return { verdict: 'true', evidence: 'GRANT DELETE alone: TRUNCATE went through' }
      const ofDelete = (await refusal(limited, 'DELETE FROM t')) ?? 'goes through'
      await client.run(`GRANT ${sql.truncatePrivilege} ON t TO ${LIMITED_ACCOUNT.user}`)
      const granted = (await refusal(limited, 'TRUNCATE TABLE t')) ?? 'goes through'
      return {
        verdict: 'false',
        evidence: `GRANT DELETE alone: DELETE ${ofDelete}, TRUNCATE: ${refused}; with GRANT ${sql.truncatePrivilege} it ${granted}`,
      }
    } finally {
      // A role with privileges cannot be dropped.
      await runAll(client, ['DROP TABLE t', sql.user.drop(LIMITED_ACCOUNT.user)])
    }
  },
}
