import { roundTo } from '../../options.ts'
import { type Claim, session, type Verdict, verdictOf } from '../claim.ts'
import type { ClaimContext } from '../claim-context.ts'
import { tableSql } from '../dialect.ts'
import { ms } from '../queries.ts'
import { type Method, timeMethods } from '../time-methods.ts'

const byDelete = { id: 'delete', empty: (table) => [`DELETE FROM ${table}`] } as const satisfies Method
const byTruncate = { id: 'truncate', empty: (table) => [`TRUNCATE TABLE ${table}`] } as const satisfies Method

const FEW = 10
const MANY = 100_000

/** Ratios within this range are attributed to other load of the machine. */
const ALIKE = { from: 0.9, to: 1.1 }

export const faster: Claim = {
  id: 'faster',
  text: 'TRUNCATE is always faster than DELETE',
  isOfTruncate: true,
  isTimed: true,
  statements: (sql) =>
    session(
      1,
      tableSql('t'),
      ...[FEW, MANY].flatMap((rows) => [
        sql.fill('t', rows),
        'DELETE FROM t',
        sql.fill('t', rows),
        'TRUNCATE TABLE t',
      ]),
    ),
  async test(context) {
    const few = await timesWith(context, FEW, 21)
    const many = await timesWith(context, MANY, 5)
    const ratios = [few.ratio, many.ratio]
    const wins = ratios.filter((ratio) => ratio > ALIKE.to).length
    const verdict: Verdict = wins === ratios.length ? 'true' : wins === 0 ? 'false' : 'depends'
    return { verdict, evidence: `${few.words}; ${many.words}`, figures: { ...few.figures, ...many.figures } }
  },
}

async function timesWith(context: ClaimContext, rows: number, rounds: number) {
  const times = await timeMethods(context, [byDelete, byTruncate], rows, rounds)
  const deleted = times.delete.whole.median
  const truncated = times.truncate.whole.median
  const ratio = deleted / truncated
  const [factor, winner] = ratio > 1 ? [ratio, 'TRUNCATE'] : [1 / ratio, 'DELETE']
  const result = ratio > ALIKE.to || ratio < ALIKE.from ? `${winner} ${roundTo(factor, 1)}× as fast` : 'alike'
  return {
    ratio,
    words: `${rows.toLocaleString('en')} rows: DELETE ${ms(deleted)}, TRUNCATE ${ms(truncated)} (${result})`,
    figures: { [`delete${rows}`]: roundTo(deleted), [`truncate${rows}`]: roundTo(truncated) },
  }
}

const SOME = 20_000
/** This ratio cannot result from other load of the machine. */
const SHORTCUT = 4

export const withoutWhere: Claim = {
  id: 'without-where',
  text: 'DELETE without WHERE is as fast as TRUNCATE: the server takes the same shortcut',
  isOfTruncate: false,
  isTimed: true,
  statements: (sql) =>
    session(
      1,
      tableSql('t'),
      sql.fill('t', SOME),
      'DELETE FROM t WHERE id > 0',
      sql.fill('t', SOME),
      'DELETE FROM t',
      'CREATE TABLE fired (event varchar(10))',
      ...sql.trigger('t', 'DELETE'),
      sql.fill('t', SOME),
      'DELETE FROM t',
    ),
  async test(context) {
    await context.client.run('CREATE TABLE fired (event varchar(10))')
    const filtered = {
      id: 'filtered',
      empty: (table) => [`DELETE FROM ${table} WHERE id > 0`],
    } as const satisfies Method
    const triggered = {
      id: 'triggered',
      prepare: (table) => context.sql.trigger(table, 'DELETE'),
      empty: byDelete.empty,
    } as const satisfies Method
    const {
      delete: bare,
      filtered: all,
      triggered: each,
    } = await timeMethods(context, [byDelete, filtered, triggered], SOME, 7)
    const [plain, where, trigger] = [bare, all, each].map(({ whole }) => whole.median) as [
      number,
      number,
      number,
    ]
    const isShortcut = plain < where / SHORTCUT
    const isLost = isShortcut && trigger > plain * SHORTCUT
    return {
      verdict: isLost ? 'depends' : verdictOf(isShortcut),
      evidence: `${SOME.toLocaleString('en')} rows: ${ms(plain)}, with WHERE id > 0 ${ms(where)}, without WHERE but with a trigger ${ms(trigger)}`,
      figures: { plain: roundTo(plain), where: roundTo(where), trigger: roundTo(trigger) },
    }
  },
}

const BATCH = 1000
const BATCHED = 50_000

export const batches: Claim = {
  id: 'batches',
  text: 'Deleting all rows is gentler in batches',
  isOfTruncate: false,
  isTimed: true,
  statements: (sql) =>
    session(
      1,
      tableSql('t'),
      sql.fill('t', BATCHED),
      'DELETE FROM t',
      sql.fill('t', BATCHED),
      ...batchesOf('t').slice(0, 3),
      '-- and so on: add the times up',
    ),
  async test(context) {
    const batched = { id: 'batched', empty: batchesOf } as const satisfies Method
    const times = await timeMethods(context, [byDelete, batched], BATCHED, 15)
    const whole = times.delete.whole.median
    const { whole: all, each, slowest } = times.batched
    const isGentler = each.median < whole / 4
    const isDearer = all.median > whole * ALIKE.to
    return {
      verdict: isGentler && isDearer ? 'depends' : verdictOf(isGentler),
      evidence:
        `${BATCHED.toLocaleString('en')} rows: one statement ${ms(whole)}; in batches of ${BATCH.toLocaleString('en')} ` +
        `each ${ms(each.median)}, the slowest ${ms(slowest.median)}, all together ${ms(all.median)}`,
      figures: {
        whole: roundTo(whole),
        each: roundTo(each.median),
        slowest: roundTo(slowest.median),
        all: roundTo(all.median),
      },
    }
  },
}

/** Deletes by ranges of the key: a subquery with LIMIT would search among dead rows. */
function batchesOf(table: string): string[] {
  return Array.from({ length: BATCHED / BATCH }, (_, index) => {
    const from = index * BATCH
    return `DELETE FROM ${table} WHERE id > ${from} AND id <= ${from + BATCH}`
  })
}
