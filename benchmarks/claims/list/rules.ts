import { count, refusal, runAll } from '../ask.ts'
import { type Claim, session, verdictOf } from '../claim.ts'
import { countSql, rowsSql, tableSql } from '../dialect.ts'
import type { Ground } from '../ground.ts'

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
    const own = await firedByOwn({ client, sql })
    const ofOwn = own.refused === undefined ? `fired ${own.fired}×` : `is refused (${own.refused})`
    return {
      verdict: byTruncate === 0 && own.fired > 0 ? 'depends' : verdictOf(byTruncate === 0),
      evidence: `3 rows, trigger AFTER DELETE: TRUNCATE fired it ${byTruncate}×, DELETE ${byDelete}×; a trigger AFTER TRUNCATE ${ofOwn}`,
      figures: { byTruncate, byDelete, own: own.fired },
    }
  },
}

/** Tests a trigger on TRUNCATE itself. */
async function firedByOwn({ client, sql }: Pick<Ground, 'client' | 'sql'>) {
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
  text: 'TRUNCATE works in spite of foreign keys as long as the referring tables are empty',
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

const CLERK = { user: 'claims_clerk', password: 'of-no-worth-1' }

export const privilege: Claim = {
  id: 'privilege',
  text: 'Whoever may DELETE may TRUNCATE',
  isOfTruncate: true,
  statements: (sql) => [
    ...session(1, tableSql('t'), rowsSql('t'), sql.user.make(CLERK.user, CLERK.password)),
    ...session(1, `GRANT SELECT, DELETE ON t TO ${CLERK.user}`),
    ...session(2, `-- connected as ${CLERK.user}`, 'TRUNCATE TABLE t', 'DELETE FROM t'),
    ...session(1, `GRANT ${sql.truncatePrivilege} ON t TO ${CLERK.user}`),
    ...session(2, 'TRUNCATE TABLE t'),
    ...session(1, 'DROP TABLE t', sql.user.drop(CLERK.user)),
  ],
  async test(ground) {
    const { client, sql } = ground
    await runAll(client, [tableSql('t'), rowsSql('t'), sql.user.drop(CLERK.user)])
    await client.run(sql.user.make(CLERK.user, CLERK.password))
    try {
      await client.run(`GRANT SELECT, DELETE ON t TO ${CLERK.user}`)
      const clerk = await ground.connect(CLERK)
      const refused = await refusal(clerk, 'TRUNCATE TABLE t')
      if (refused === undefined)
        return { verdict: 'true', evidence: 'GRANT DELETE alone: TRUNCATE went through' }
      const ofDelete = (await refusal(clerk, 'DELETE FROM t')) ?? 'goes through'
      await client.run(`GRANT ${sql.truncatePrivilege} ON t TO ${CLERK.user}`)
      const granted = (await refusal(clerk, 'TRUNCATE TABLE t')) ?? 'goes through'
      return {
        verdict: 'false',
        evidence: `GRANT DELETE alone: DELETE ${ofDelete}, TRUNCATE: ${refused}; with GRANT ${sql.truncatePrivilege} it ${granted}`,
      }
    } finally {
      // A role with privileges cannot be dropped.
      await runAll(client, ['DROP TABLE t', sql.user.drop(CLERK.user)])
    }
  },
}
