import type { Client } from '../../client.ts'
import { type Claim, session, type Verdict } from '../claim.ts'
import type { ClaimContext } from '../claim-context.ts'
import type { CounterKind } from '../dialect.ts'
import { numberOf, runAll } from '../queries.ts'

const INSERT = `INSERT INTO t (name) VALUES ('a'), ('b'), ('c')`
const NEXT = 'SELECT MAX(id) AS next FROM t'

export const truncateCounter: Claim = {
  id: 'truncate-counter',
  text: 'TRUNCATE resets the counter (identity, AUTO_INCREMENT)',
  isOfTruncate: true,
  statements(sql) {
    const restart = sql.restart('t')
    return session(
      1,
      ...(sql.counterKinds[0] === undefined ? [] : filled(sql.counterKinds[0], 1000)),
      'TRUNCATE TABLE t',
      ...probe(),
      ...(restart === undefined ? [] : [restart, ...probe()]),
    )
  },
  async test(context) {
    const [usual] = context.sql.counterKinds
    if (usual === undefined) throw new Error('no kind of table counts')
    const plain = await nextAfter(context, usual, 'TRUNCATE TABLE t')
    const late = await nextAfter(context, usual, 'TRUNCATE TABLE t', 1000)
    const statement = context.sql.restart('t')
    const restarted = statement === undefined ? undefined : await nextAfter(context, usual, statement)
    const restartedText = restarted === undefined ? '' : `; after TRUNCATE … RESTART IDENTITY ${restarted}`
    return {
      verdict: plain === 1 ? 'true' : restarted === 1 ? 'depends' : 'false',
      evidence: `next id after 3 rows and TRUNCATE: ${plain}${restartedText}; of a counter created to start at 1000: ${late}`,
      figures: { plain, late, ...(restarted === undefined ? {} : { asked: restarted }) },
    }
  },
}

export const deleteCounter: Claim = {
  id: 'delete-counter',
  text: 'DELETE does not reset the counter',
  isOfTruncate: false,
  statements: (sql) =>
    session(
      1,
      ...sql.counterKinds.flatMap((counting) => [
        ...filled(counting),
        'DELETE FROM t',
        ...probe(),
        'DROP TABLE t',
      ]),
    ),
  async test(context) {
    const found: { label: string; next: number }[] = []
    for (const counting of context.sql.counterKinds) {
      found.push({ label: counting.label, next: await nextAfter(context, counting, 'DELETE FROM t') })
    }
    return {
      verdict: verdictOfAll(found.map(({ next }) => next === 4)),
      evidence: `next id after 3 rows and DELETE: ${found.map(({ label, next }) => `${next} with ${label}`).join(', ')}`,
      figures: Object.fromEntries(found.map(({ label, next }) => [label, next])),
    }
  },
}

async function nextAfter({ client }: ClaimContext, counting: CounterKind, emptied: string, start?: number) {
  await runAll(client, [...filled(counting, start), emptied])
  const next = await nextId(client)
  await client.run('DROP TABLE t')
  return next
}

async function nextId(client: Client): Promise<number> {
  const [insert, look] = probe()
  await client.run(insert)
  return numberOf(client, look)
}

function filled(counting: CounterKind, start?: number): string[] {
  return [counting.create('t', start), INSERT]
}

function probe(): [insert: string, look: string] {
  return [`INSERT INTO t (name) VALUES ('next')`, NEXT]
}

function verdictOfAll(holds: readonly boolean[]): Verdict {
  if (holds.every(Boolean)) return 'true'
  return holds.some(Boolean) ? 'depends' : 'false'
}
