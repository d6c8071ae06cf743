import { describe, expect, it } from 'vitest'
import { buildPlan, type PlanInput } from '../../src/plan/build.ts'
import type { Costs } from '../../src/plan/cost.ts'
import { type DeleteStep, select } from '../../src/plan/plan.ts'
import { schemaOf, sequence, table } from '../support/schemas.ts'

const postgresLike: PlanInput = {
  strategy: 'auto',
  sequences: 'restart',
  keep: [],
  populated: [],
  mayDisableChecks: true,
  capabilities: { truncate: true, truncateRestarts: false, truncateNeedsClosure: true },
}
/** Deleting 60 rows costs as much as truncating one file. */
const costs: Costs = {
  truncate: 0,
  truncateFile: 50,
  truncateKey: 0,
  planTable: 0,
  deleteRow: 1,
  deleteIndexRow: 0,
  probeRow: 0,
  referredRow: 0,
  readPage: 0,
  restart: 0,
  pageBytes: 8192,
}
const mysqlLike: PlanInput = {
  ...postgresLike,
  capabilities: { truncate: true, truncateRestarts: true, truncateNeedsClosure: false },
}

const shop = ['lines -> orders', 'orders -> users', 'users', 'countries']

function deleteOf(id: string, input: Partial<PlanInput>, schema = schemaOf(shop)): DeleteStep {
  const { steps } = buildPlan(schema, { ...postgresLike, ...input })
  const found = steps.find((step) => step.kind === 'delete' && step.tables.includes(id))
  if (found?.kind !== 'delete') throw new Error(`nothing is deleted from ${id}`)
  return found
}

function words(input: Partial<PlanInput>, lines = shop, dirty?: string[]): string[] {
  const plan = buildPlan(schemaOf(lines), { ...postgresLike, ...input })
  const steps = dirty === undefined ? plan.steps : select(plan, new Set(dirty)).map(({ step }) => step)
  return steps.map((step) =>
    'tables' in step ? `${step.kind} ${step.tables}` : `${step.kind} ${'table' in step ? step.table : ''}`,
  )
}

describe('a plan with checks disabled', () => {
  it('deletes from tables with an empty baseline, children first, and repairs those with baseline rows', () => {
    expect(words({ populated: ['countries', 'users'] })).toEqual([
      'delete-differing countries',
      'delete lines',
      'delete orders',
      'delete-differing users',
      'insert-missing users',
      'insert-missing countries',
    ])
  })

  it('runs only the steps of dirty tables', () => {
    expect(words({ populated: ['countries'] }, shop, ['orders'])).toEqual(['delete orders'])
    expect(words({ populated: ['countries'] }, shop, ['countries'])).toEqual([
      'delete-differing countries',
      'insert-missing countries',
    ])
    expect(words({}, shop, [])).toEqual([])
  })

  it('offers TRUNCATE of the whole closure for a large table, unless that would empty a baseline', () => {
    const plan = buildPlan(schemaOf(shop), { ...postgresLike, costs, populated: ['lines'] })
    const truncates = Object.fromEntries(
      plan.steps.flatMap((step) =>
        step.kind === 'delete' ? [[step.tables[0], step.truncateAlternative?.tables]] : [],
      ),
    )
    expect(truncates).toEqual({ countries: ['countries'], orders: undefined, users: undefined })
    expect(deleteOf('users', { costs })).toMatchObject({
      truncateAlternative: { tables: ['users', 'orders', 'lines'], threshold: { aboveRows: 180 } },
    })
    expect(deleteOf('users', {}).truncateAlternative).toBeUndefined()
  })

  it('states the row count from which it truncates, by cost, or why it never does', () => {
    const reasons = (input: Partial<PlanInput>, lines = shop) =>
      buildPlan(schemaOf(lines), { ...postgresLike, costs, ...input }).steps.map(({ reason }) => reason)
    expect(reasons({ populated: ['lines'] })).toEqual([
      'its baseline is empty; TRUNCATE above 60 rows (1 file)',
      'its baseline has rows: only what differs goes',
      'its baseline is empty; never TRUNCATE: it would empty "lines" too, whose baseline has rows',
      'its baseline is empty; never TRUNCATE: it would empty "lines" too, whose baseline has rows',
      'its baseline has rows',
    ])
    expect(reasons({ keep: ['lines'] })[1]).toMatch('it would empty "lines" too, which is kept')
    expect(deleteOf('users', { costs }).reason).toBe(
      'its baseline is empty; TRUNCATE above 180 rows (3 files with 2 tables that refer to it)',
    )
    const many = Array.from({ length: 64 }, (_, i) => `t${i} -> hub`)
    expect(reasons({}, many).at(-1)).toMatch('never TRUNCATE: it would lock more than 64 tables')
    expect(reasons({}).every((reason) => !reason.includes('never'))).toBe(true)
    expect(deleteOf('users', { costs }).truncateAlternative?.reason).toBe(
      'TRUNCATE (3 files with 2 tables that refer to it) is cheaper above 180 rows',
    )
  })

  it('truncates closures with strategy truncate, and refills everything that it emptied', () => {
    expect(words({ strategy: 'truncate', populated: ['lines'] }, shop, ['users'])).toEqual([
      'truncate users,orders,lines',
      'insert-missing lines',
    ])
  })
})

describe('a plan with checks enabled', () => {
  const ordered = { mayDisableChecks: false }

  it('empties and refills what refers to a dirty table, inserting parents first', () => {
    expect(words({ ...ordered, populated: ['users', 'orders'] }, shop, ['users'])).toEqual([
      'delete orders',
      'delete users',
      'insert-missing users',
      'insert-missing orders',
    ])
  })

  it('may truncate baseline rows, since everything that refers to them is inserted again anyway', () => {
    const input = { ...ordered, costs, populated: ['users', 'orders', 'lines'] }
    expect(deleteOf('users', input).truncateAlternative?.tables).toEqual(['users', 'orders', 'lines'])
    expect(words(input, shop, ['users'])).toEqual(
      expect.arrayContaining(['insert-missing users', 'insert-missing orders', 'insert-missing lines']),
    )
  })

  it('clears and refills a cycle with one statement each', () => {
    const cycle = ['a -> b', 'b -> a', 'c -> a']
    expect(words({ ...ordered, populated: ['a', 'b'] }, cycle, ['a'])).toEqual([
      'delete a,b',
      'insert-missing a,b',
    ])
  })
})

describe('kept tables', () => {
  it('are never changed', () => {
    expect(words({ keep: ['countr*'] })).toEqual(['delete lines', 'delete orders', 'delete users'])
  })

  it.each(['cascade', 'set null', 'set default'])(
    'are refused by name if ON DELETE %s would reach one',
    (action) => {
      const schema = [`audit -> users on delete ${action}`, 'users']
      expect(() => words({ keep: ['audit'] }, schema)).toThrow(/"audit" is kept.*"users".*audit_users_fkey/)
    },
  )

  it('are checked if they refer to a reset table without an action', () => {
    expect(words({ keep: ['audit'] }, ['audit -> users'])).toEqual(['delete users', 'check '])
  })

  it('are refused if TRUNCATE would have to empty one', () => {
    expect(() => words({ strategy: 'truncate', keep: ['audit'] }, ['audit -> users'])).toThrow(
      /"audit" is kept, but TRUNCATE of "users"/,
    )
  })

  it('are refused if a name matches nothing', () => {
    expect(() => words({ keep: ['user'] })).toThrow(/`keep` names tables that are not there: user/)
  })

  it('include the tables of extensions and foreign tables; foreign partitions are refused', () => {
    const kept = buildPlan(
      {
        tables: [table('spatial_ref_sys', ['extension']), table('remote', ['foreign']), table('own')],
        foreignKeys: [],
        sequences: [],
      },
      postgresLike,
    )
    expect(kept.kept.map((entry) => entry.table)).toEqual(['spatial_ref_sys', 'remote'])
    const schema = { tables: [table('parted', ['foreign', 'partitioned'])], foreignKeys: [], sequences: [] }
    expect(() => buildPlan(schema, postgresLike)).toThrow(/"parted" has foreign tables below it/)
  })
})

describe('sequences', () => {
  const schema = schemaOf(['users'], { sequences: [sequence('users_id_seq', 'users'), sequence('free')] })

  it('return to the position of the baseline, except those of kept tables', () => {
    const restarts = (input: Partial<PlanInput>) =>
      buildPlan(schema, { ...postgresLike, ...input }).steps.flatMap((step) =>
        step.kind === 'restart' ? [step] : [],
      )
    expect(restarts({}).map(({ sequence: id, when }) => [id, when])).toEqual([
      ['users_id_seq', ['users_id_seq']],
      ['free', ['free']],
    ])
    expect(restarts({ keep: ['users'] }).map(({ sequence: id }) => id)).toEqual(['free'])
    expect(restarts({ sequences: 'keep' })).toEqual([])
  })

  it('make TRUNCATE the better choice once they have moved, if it restarts them', () => {
    const users = (input: Partial<PlanInput>, position = { value: 1n, called: false }) => {
      const counted = schemaOf(['users'], { sequences: [sequence('users', 'users', { position })] })
      const step = deleteOf('users', { ...mysqlLike, costs: { ...costs, restart: 500 }, ...input }, counted)
      const threshold = step.truncateAlternative?.threshold
      return [threshold?.aboveRows, threshold?.aboveRowsIfMoved, step.reason]
    }
    expect(users({})).toEqual([
      60,
      0,
      'its baseline is empty; TRUNCATE above 60 rows, always when its counter has moved (1 file)',
    ])
    // TRUNCATE would not restore this position.
    expect(users({}, { value: 7n, called: false }).slice(0, 2)).toEqual([660, 60])
    expect(users({ sequences: 'keep' })).toEqual([
      undefined,
      undefined,
      'its baseline is empty; never TRUNCATE: it would restart the counter, which is to be left alone',
    ])
  })

  it('are restored after a TRUNCATE that restarts them', () => {
    const plan = buildPlan(schema, { ...mysqlLike, strategy: 'truncate' })
    expect(plan.steps.find((step) => step.kind === 'restart')?.when).toEqual(['users_id_seq', 'users'])
  })
})
