import { type Claim, session, verdictOf } from '../claim.ts'
import type { ClaimContext } from '../claim-context.ts'
import { tableSql } from '../dialect.ts'
import { bytes, numberOf, pause, refusal, runAll } from '../queries.ts'

const ROWS = 20_000

export const space: Claim = {
  id: 'space',
  text: 'DELETE returns no disk space',
  isOfTruncate: false,
  statements(sql) {
    const sizeQuery = sql.size('t')
    return session(
      1,
      tableSql('t'),
      sql.fill('t', ROWS),
      sizeQuery,
      'DELETE FROM t',
      sizeQuery,
      sql.compact('t'),
      sizeQuery,
      sql.fill('t', ROWS),
      'TRUNCATE TABLE t',
      sizeQuery,
    )
  },
  async test({ client, sql }) {
    const size = () => numberOf(client, sql.size('t'))
    await runAll(client, [tableSql('t'), sql.fill('t', ROWS)])
    const full = await size()
    await client.run('DELETE FROM t')
    const deleted = await size()
    await client.run(sql.compact('t'))
    const compacted = await size()
    await client.run(sql.fill('t', ROWS))
    const refused = await refusal(client, 'TRUNCATE TABLE t')
    const truncated = refused === undefined ? await size() : undefined
    const afterTruncate = truncated === undefined ? '' : `, after TRUNCATE ${bytes(truncated)}`
    return {
      verdict: verdictOf(deleted >= full),
      evidence:
        `${ROWS.toLocaleString('en')} rows: file of ${bytes(full)}, after DELETE ${bytes(deleted)}, ` +
        `after ${sql.compact('t')} ${bytes(compacted)}${afterTruncate}`,
      figures: { full, deleted, compacted, ...(truncated === undefined ? {} : { truncated }) },
    }
  },
}

const CYCLES = 8
const CYCLE_ROWS = 5000
/** Time for background cleanup of the server. */
const REST_MS = 500

export const vacuum: Claim = {
  id: 'vacuum',
  text: 'After DELETE, a table keeps growing unless it is vacuumed (optimized)',
  isOfTruncate: false,
  statements(sql) {
    const cycle = [sql.fill('t', CYCLE_ROWS), 'DELETE FROM t', sql.size('t')]
    return session(
      1,
      tableSql('t') + sql.withoutCleanup,
      ...cycle,
      ...cycle,
      ...cycle,
      '-- and again, now tidied up in between',
      ...[sql.compact('t'), ...cycle],
      ...[sql.compact('t'), ...cycle],
    )
  },
  async test(context) {
    const withoutCompaction = await fileGrowth(context, 'untended', [])
    const compacted = await fileGrowth(context, 'tidied', [context.sql.compact('tidied')])
    const grows = withoutCompaction.last > withoutCompaction.first * 2
    const how =
      context.sql.withoutCleanup === '' ? 'let alone' : `let alone (${context.sql.withoutCleanup.trim()})`
    return {
      verdict: verdictOf(grows && compacted.last < compacted.first * 2),
      evidence:
        `filled with ${CYCLE_ROWS.toLocaleString('en')} rows and emptied by DELETE ${CYCLES} times, ${how}: ` +
        `${bytes(withoutCompaction.first)} at first, ${bytes(withoutCompaction.last)} at last; ` +
        `with ${context.sql.compact('t')} in between: ${bytes(compacted.last)} at last`,
      figures: { first: withoutCompaction.first, last: withoutCompaction.last, tidied: compacted.last },
    }
  },
}

async function fileGrowth({ client, sql }: ClaimContext, table: string, between: readonly string[]) {
  await client.run(tableSql(table) + sql.withoutCleanup)
  const sizes: number[] = []
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    await client.run(sql.fill(table, CYCLE_ROWS))
    sizes.push(await numberOf(client, sql.size(table)))
    await client.run(`DELETE FROM ${table}`)
    await runAll(client, between)
    await pause(REST_MS)
  }
  const [first = 0] = sizes
  return { first, last: sizes.at(-1) ?? first }
}
