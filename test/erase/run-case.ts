import { expect } from 'vitest'
import { erase } from '../../src/erase/erase.ts'
import type { EraseOptions } from '../../src/erase/options.ts'
import type { EraseReport } from '../../src/erase/report.ts'
import { sql, type Where } from '../../src/index.ts'
import { holds, type Outcome, outcomeOf } from './model.ts'
import { type Case, type CaseKey, type CaseRow, caseOf, type Dice, diceOf } from './random.ts'
import type { EraseTarget } from './targets.ts'

/** Runs the case of a seed, and compares the content of the database with the model. */
export async function play(target: EraseTarget, seed: number): Promise<void> {
  const dice = diceOf(seed)
  const given = renamed(caseOf(dice, target.actions), dice)
  await target.load(given)
  const { where, selects } = conditionOf(dice, given)
  const request = requestOf(dice, given)
  const message = () => `seed ${seed}: ${JSON.stringify({ target: given.target, where, ...request.options })}`
  const before = await target.rows(given)
  const context = await target.context()
  const run = async () => {
    try {
      return { report: await erase(context, given.target, where, request.options) }
    } catch (error) {
      return { error }
    }
  }
  const done = await run()
  const after = await target.rows(given)
  const wanted = outcomeOf(given, selects, request.does)
  const unchanged = () => expect(sorted(after), message()).toEqual(sorted(before))

  if (request.isRefused) {
    expect(done.error, message()).toMatchObject({
      code: 'erase',
      message: expect.stringContaining('cannot be deleted'),
    })
    return unchanged()
  }
  // PostgreSQL identifies a row without a primary key by ctid, which an earlier batch may have changed: erase
  // fails.
  if (request.options.batch !== undefined && /has no primary key, and one batch/.test(String(done.error))) {
    expect(done.error, message()).toMatchObject({ code: 'usage' })
    expect(given.tables.find(({ name }) => name === given.target)?.primaryKey, message()).toEqual([])
    return unchanged()
  }
  const gone = [...wanted.deleted.values()].reduce((sum, count) => sum + count, 0)
  const { max } = request.options
  if (max !== undefined && gone > max) {
    expect(done.error, message()).toMatchObject({
      code: 'erase',
      message: expect.stringContaining('the maximum is'),
    })
    return unchanged()
  }
  const breaks = wanted.breaks && request.options.softDelete === undefined
  const forbidden = request.isServers && (wanted.mayBreak || target.isRowByRow)
  // A row that refers to its default after one batch may be deleted in a later one.
  const early =
    request.options.batch !== undefined && given.keys.some(({ onDelete }) => onDelete === 'set default')
  if (done.error !== undefined && (breaks || forbidden || early)) {
    expect(done.error, message()).toMatchObject({ name: 'EraseError' })
    // Earlier batches stay committed.
    if (request.options.batch === undefined) unchanged()
    return
  }
  expect(done.error, message()).toBeUndefined()
  expect(breaks, `${message()}: it should have failed`).toBe(false)
  // MySQL 9.7 itself leaves dangling references where SET NULL and CASCADE meet in a cycle.
  if (request.isServers && target.mayOrphan && !holds(given, after)) return
  if (request.options.dryRun === true) unchanged()
  else if (request.options.softDelete !== undefined) expectMarked(given, wanted, after, message())
  else expect(sorted(after), message()).toEqual(sorted(wanted.rows))
  expectCounts(given, wanted, done.report, request, message())
  // A batch may have changed what a later one archives.
  const { archive, dryRun, batch } = request.options
  if (archive === true && dryRun !== true && batch === undefined)
    await expectArchived(target, given, wanted, message())
}

interface Request {
  readonly options: EraseOptions
  readonly does: (key: CaseKey) => 'delete' | 'set null' | 'set default' | 'forbid'
  readonly isRefused: boolean
  readonly isServers: boolean
}

function requestOf(dice: Dice, given: Case): Request {
  const cascade = dice.among(['error', 'follow', 'follow', 'follow', 'declared'] as const)
  const asked = new Map<string, 'cascade' | 'set null'>()
  if (cascade === 'follow' && dice.chance(30)) {
    for (const key of given.keys) {
      const columns = given.tables.find(({ name }) => name === key.from)?.columns ?? []
      const nullable = key.columns.every((name) => columns.find((column) => column.name === name)?.nullable)
      if (dice.chance(40)) asked.set(key.name, nullable && dice.chance(60) ? 'set null' : 'cascade')
    }
  }
  const marks = cascade === 'follow' && dice.chance(10)
  const options: EraseOptions = {
    ...(cascade !== 'error' && { cascade }),
    ...(asked.size > 0 && { onDelete: onDeleteOf(given, asked) }),
    ...(dice.chance(15) && { dryRun: true }),
    ...(dice.chance(15) && { max: dice.below(8) }),
    ...(cascade !== 'declared' && dice.chance(20) && { batch: 1 + dice.below(3) }),
    ...(marks && { softDelete: { column: 'gone', value: 1 } }),
    ...(!marks && cascade !== 'declared' && dice.chance(10) && { archive: true }),
  }
  const does = (key: CaseKey): ReturnType<Request['does']> => {
    const own = asked.get(key.name)
    if (own !== undefined) return own === 'cascade' ? 'delete' : own
    if (key.onDelete === 'set null' || key.onDelete === 'set default') return key.onDelete
    return cascade === 'declared' && key.onDelete !== 'cascade' ? 'forbid' : 'delete'
  }
  return {
    options,
    does,
    isRefused:
      cascade === 'error' && given.keys.some((key) => key.to === given.target && does(key) === 'delete'),
    isServers: cascade === 'declared',
  }
}

/** SQLite does not report the names of foreign keys. */
function onDeleteOf(given: Case, asked: ReadonlyMap<string, 'cascade' | 'set null'>) {
  const entries = given.keys.flatMap((key) => {
    const action = asked.get(key.name)
    const [column, ...more] = key.columns
    const name = more.length === 0 ? `${key.from}.${column}` : `${key.from}(${key.columns.join(', ')})`
    return action === undefined ? [] : [[name, action] as const]
  })
  return Object.fromEntries(entries)
}

function conditionOf(
  dice: Dice,
  { tables, rows, target }: Case,
): { where: Where; selects: (row: CaseRow) => boolean } {
  const number = (row: CaseRow) => (typeof row.v === 'number' ? row.v : Number.NaN)
  const limit = dice.below(6)
  const other = dice.below(6)
  const { primaryKey = [] } = tables.find(({ name }) => name === target) ?? {}
  switch (dice.below(9)) {
    case 0:
      return { where: { v: limit }, selects: (row) => row.v === limit }
    case 1:
      return { where: { v: [limit, other] }, selects: (row) => row.v === limit || row.v === other }
    case 2:
      return { where: { v: null }, selects: (row) => row.v === null }
    case 3:
      return { where: { v: [limit, null] }, selects: (row) => row.v === limit || row.v === null }
    case 4:
      return {
        where: { v: { gte: limit, lt: other } },
        selects: (row) => number(row) >= limit && number(row) < other,
      }
    case 5:
      return { where: { v: { not: limit } }, selects: (row) => row.v !== null && row.v !== limit }
    case 6:
      return {
        where: sql`v > ${limit} OR v = ${other}`,
        selects: (row) => number(row) > limit || row.v === other,
      }
    case 7:
      return { where: sql`1 = 1`, selects: () => true }
    default: {
      if (primaryKey.length === 0) return { where: [], selects: () => false }
      const chosen = (rows.get(target) ?? []).filter(() => dice.chance(50))
      const keys = chosen.map((row) => primaryKey.map((name) => row[name] as number | string))
      return {
        where: keys,
        selects: (row) => chosen.some((selected) => primaryKey.every((name) => selected[name] === row[name])),
      }
    }
  }
}

/** Gives some tables names that require quoting. */
function renamed(given: Case, dice: Dice): Case {
  if (!dice.chance(20)) return given
  const name = (table: string) => `${table} "x\`; -- '`
  return {
    tables: given.tables.map((table) => ({ ...table, name: name(table.name) })),
    keys: given.keys.map((key) => ({ ...key, from: name(key.from), to: name(key.to) })),
    rows: new Map([...given.rows].map(([table, rows]) => [name(table), rows])),
    target: name(given.target),
  }
}

function sorted(rows: ReadonlyMap<string, readonly CaseRow[]>): Record<string, string[]> {
  const text = (row: CaseRow) =>
    JSON.stringify(Object.fromEntries(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))))
  return Object.fromEntries([...rows].map(([table, all]) => [table, all.map(text).sort()]))
}

function expectMarked(
  given: Case,
  { deleted }: Outcome,
  after: ReadonlyMap<string, readonly CaseRow[]>,
  message: string,
) {
  for (const { name } of given.tables) {
    const marked = (after.get(name) ?? []).filter(({ gone }) => gone === 1)
    expect(marked.length, `${message}: marked in ${name}`).toBe(deleted.get(name))
    expect(after.get(name)?.length, message).toBe(given.rows.get(name)?.length)
  }
}

function expectCounts(
  given: Case,
  wanted: Outcome,
  report: EraseReport | undefined,
  request: Request,
  message: string,
) {
  const isMarked = request.options.softDelete !== undefined
  for (const { table, deleted, changed, marked } of report?.tables ?? []) {
    const name = given.tables.find((candidate) => candidate.name === table)?.name ?? ''
    const gone = wanted.deleted.get(name) ?? 0
    if (isMarked) expect(marked, `${message}: marked in ${table}`).toBe(gone)
    else if (deleted !== undefined) expect(deleted, `${message}: deleted in ${table}`).toBe(gone)
    // A row that one batch changes may be deleted in a later one.
    const counts = !isMarked && changed !== undefined && request.options.batch === undefined
    if (counts) expect(changed, `${message}: changed in ${table}`).toBe(wanted.changed.get(name) ?? 0)
  }
  const named = new Set(report?.tables.map(({ table }) => table))
  for (const [name, count] of wanted.deleted) {
    if (count > 0) expect(named.has(name), `${message}: ${name} is in the report`).toBe(true)
  }
}

async function expectArchived(target: EraseTarget, given: Case, { deleted }: Outcome, message: string) {
  const context = await target.context()
  for (const [name, count] of deleted) {
    if (count === 0) continue
    expect(
      context.schema.tables.some((table) => table.name === `${name}_archive`),
      message,
    ).toBe(true)
    const kept = await target.select(`${name}_archive`)
    expect(kept.length, `${message}: kept of ${name}`).toBe(count)
    const all = new Set(sorted(new Map([[name, given.rows.get(name) ?? []]]))[name])
    for (const row of sorted(new Map([[name, kept]]))[name] ?? []) expect(all.has(row), message).toBe(true)
  }
}
