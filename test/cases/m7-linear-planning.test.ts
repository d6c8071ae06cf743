import { describe, expect, it } from 'vitest'
import { routineSteps } from '../../src/engine/mysql/steps.ts'
import { trackedTables } from '../../src/engine/mysql/tracked-tables.ts'
import type { Program } from '../../src/engine/resetter.ts'
import { buildPlan, type PlanInput } from '../../src/plan/build.ts'
import { select } from '../../src/plan/plan.ts'
import type { Schema, Table } from '../../src/schema/schema.ts'
import { asPlainRole } from '../support/plain-role.ts'
import { schemaOf, sequence, table } from '../support/schemas.ts'
import { describeOn } from '../support/servers.ts'
import { withLease } from './support.ts'

const COSTS = {
  ...{ truncate: 0, truncateFile: 50, truncateKey: 0, planTable: 0, deleteRow: 1, deleteIndexRow: 0 },
  ...{ probeRow: 0, referredRow: 0, readPage: 0, restart: 0, pageBytes: 16_384 },
}

/** A chain of tables that counts the property reads on them. */
function countedChain(tables: number): {
  readonly schema: Schema
  readonly names: string[]
  looks(): number
} {
  let looks = 0
  const counted = (table: Table): Table =>
    new Proxy(table, {
      get(target, key, receiver) {
        looks += 1
        return Reflect.get(target, key, receiver)
      },
    })
  const names = Array.from({ length: tables }, (_, no) => `t${no}`)
  const chain = schemaOf(names.map((name, no) => (no === 0 ? name : `${name} -> t${no - 1}`)))
  const schema: Schema = {
    ...chain,
    tables: names.map((name) => counted(table(name))),
    sequences: names.map((name) => sequence(`${name}_id`, name, { kind: 'auto-increment' })),
  }
  return { schema, names, looks: () => looks }
}

/** Counts the property reads while a plan is made in which one TRUNCATE must name all referencing tables. */
function looksWithClosures(tables: number, mayDisableChecks: boolean): number {
  const { schema, looks } = countedChain(tables)
  buildPlan(schema, {
    ...{ strategy: 'auto', sequences: 'restart', keep: [], populated: [], mayDisableChecks, costs: COSTS },
    capabilities: { truncate: true, truncateRestarts: false, truncateNeedsClosure: true },
  })
  return looks()
}

/** Counts the property reads on tables while a chain of `tables` is planned and its steps are built. */
function looksAt(tables: number, strategy: PlanInput['strategy']): number {
  const { schema, names, looks } = countedChain(tables)
  const plan = buildPlan(schema, {
    strategy,
    sequences: 'restart',
    keep: [],
    populated: names.filter((_, no) => no % 2 === 0),
    mayDisableChecks: true,
    capabilities: { truncate: true, truncateRestarts: true, truncateNeedsClosure: false },
    costs: COSTS,
  })
  const program: Program = {
    ...{ schema, plan, claim: undefined, template: 'template', lockTimeoutMs: 1000, detector: 'auto' },
  }
  const steps = routineSteps(trackedTables(program), {
    ...{ program, baseline: { database: 'template' }, triggers: [], database: 'here' },
  })
  expect(steps.length).toBeGreaterThanOrEqual(tables)
  return looks()
}

/** The number of entries in a plan with checks enabled, for a chain of `tables`, all of them with rows. */
function entriesOf(tables: number): number {
  const names = Array.from({ length: tables }, (_, no) => `t${no}`)
  const plan = buildPlan(schemaOf(names.map((name, no) => (no === 0 ? name : `${name} -> t${no - 1}`))), {
    strategy: 'delete',
    sequences: 'restart',
    keep: [],
    populated: names,
    mayDisableChecks: false,
    capabilities: { truncate: true, truncateRestarts: false, truncateNeedsClosure: true },
  })
  expect(select(plan, new Set(['t0']))).toHaveLength(2 * tables)
  expect(select(plan, new Set([`t${tables - 1}`]))).toHaveLength(2)
  return plan.steps.reduce(
    (sum, { when, follows = [] }) => sum + when.length + follows.length,
    plan.references.length,
  )
}

describe('a plan with checks enabled', () => {
  it.each([3000])('stores a constant number of entries for each of %i tables in a chain', (tables) => {
    expect(entriesOf(tables) / tables).toBeLessThanOrEqual(entriesOf(200) / 200 + 1)
  })
})

describeOn('postgres:18', (bare) => {
  it('without superuser, rows are restored anywhere in a chain of tables', async () => {
    const chain = Array.from(
      { length: 60 },
      (_, no) =>
        `CREATE TABLE t${no} (id int PRIMARY KEY, up int ${no === 0 ? '' : `REFERENCES t${no - 1} ON DELETE CASCADE`});
         INSERT INTO t${no} VALUES (1, 1)`,
    )
    await withLease(await asPlainRole(bare), chain.join(';'), {}, async (database, run) => {
      for (const [sql, rows] of [
        ['DELETE FROM t0', 60],
        ['DELETE FROM t59', 1],
        ['DELETE FROM t30', 30],
        ['INSERT INTO t10 VALUES (2, 1)', 0],
      ] as const) {
        await run(sql)
        const { dirty } = await database.reset()
        expect(dirty.length, sql).toBe(rows === 0 ? 1 : rows)
        expect(await database.verify(), sql).toEqual([])
      }
    })
  })
})

describe.each(['auto', 'delete', 'truncate'] as const)('planning with strategy %s', (strategy) => {
  it.each([2000, 3000])(
    'reads each of %i tables in a chain a constant number of times, however many there are',
    (tables) => {
      const few = looksAt(200, strategy) / 200
      expect(looksAt(tables, strategy) / tables).toBeLessThan(few * 2)
    },
  )
})

describe.each([true, false])('planning with closures, checks can be disabled: %s', (mayDisableChecks) => {
  it.each([2000, 3000])('reads each of %i tables in a chain a constant number of times', (tables) => {
    const few = looksWithClosures(200, mayDisableChecks) / 200
    expect(looksWithClosures(tables, mayDisableChecks) / tables).toBeLessThan(few * 2)
  })
})
