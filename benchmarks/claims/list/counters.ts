import type { Client } from '../../client.ts'
import { numberOf, runAll } from '../ask.ts'
import { type Claim, session, type Verdict } from '../claim.ts'
import type { Counting } from '../dialect.ts'
import type { Ground } from '../ground.ts'

const INSERT = `INSERT INTO t (name) VALUES ('a'), ('b'), ('c')`
const NEXT = 'SELECT MAX(id) AS next FROM t'

export const truncateCounter: Claim = {
  id: 'truncate-counter',
  text: 'TRUNCATE starts the counter (identity, AUTO_INCREMENT) again',
  isOfTruncate: true,
  statements(sql) {
    const restart = sql.restart('t')
    return session(
      1,
      ...(sql.counting[0] === undefined ? [] : filled(sql.counting[0], 1000)),
      'TRUNCATE TABLE t',
      ...probe(),
      ...(restart === undefined ? [] : [restart, ...probe()]),
    )
  },
  async test(ground) {
    const [usual] = ground.sql.counting
    if (usual === undefined) throw new Error('no kind of table counts')
    const plain = await nextAfter(ground, usual, 'TRUNCATE TABLE t')
    const late = await nextAfter(ground, usual, 'TRUNCATE TABLE t', 1000)
    const statement = ground.sql.restart('t')
    const asked = statement === undefined ? undefined : await nextAfter(ground, usual, statement)
    const said = asked === undefined ? '' : `; after TRUNCATE … RESTART IDENTITY ${asked}`
    return {
      verdict: plain === 1 ? 'true' : asked === 1 ? 'depends' : 'false',
      evidence: `next id after 3 rows and TRUNCATE: ${plain}${said}; of a counter created to start at 1000: ${late}`,
      figures: { plain, late, ...(asked === undefined ? {} : { asked }) },
    }
  },
}

export const deleteCounter: Claim = {
  id: 'delete-counter',
  text: 'DELETE resets nothing: the counter goes on',
  isOfTruncate: false,
  statements: (sql) =>
    session(
      1,
      ...sql.counting.flatMap((counting) => [
        ...filled(counting),
        'DELETE FROM t',
        ...probe(),
        'DROP TABLE t',
      ]),
    ),
  async test(ground) {
    const found: { label: string; next: number }[] = []
    for (const counting of ground.sql.counting) {
      found.push({ label: counting.label, next: await nextAfter(ground, counting, 'DELETE FROM t') })
    }
    return {
      verdict: verdictOfAll(found.map(({ next }) => next === 4)),
      evidence: `next id after 3 rows and DELETE: ${found.map(({ label, next }) => `${next} with ${label}`).join(', ')}`,
      figures: Object.fromEntries(found.map(({ label, next }) => [label, next])),
    }
  },
}

async function nextAfter({ client }: Ground, counting: Counting, emptied: string, start?: number) {
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

function filled(counting: Counting, start?: number): string[] {
  return [counting.create('t', start), INSERT]
}

function probe(): [insert: string, look: string] {
  return [`INSERT INTO t (name) VALUES ('next')`, NEXT]
}

function verdictOfAll(holds: readonly boolean[]): Verdict {
  if (holds.every(Boolean)) return 'true'
  return holds.some(Boolean) ? 'depends' : 'false'
}
