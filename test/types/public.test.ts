/** The types that users of TypeScript see. `npm run check` verifies them with `tsc`. */
import { describe, expectTypeOf, it } from 'vitest'
import {
  AfreshError,
  type AttachOptions,
  attach,
  container,
  createHarness,
  type Difference,
  defineConfig,
  type EraseOptions,
  type EraseReport,
  type ErrorCode,
  embedded,
  eraseFrom,
  existing,
  type Harness,
  type HarnessHandle,
  type HarnessOptions,
  join,
  type OpenResource,
  RefusedError,
  ResetError,
  type ResetReport,
  type ServerSpec,
  type SqlFragment,
  sql,
  type TableWrites,
  type TestDatabase,
  type TestReport,
  type Where,
} from '../../src/index.ts'
import type * as jest from '../../src/runner/jest/index.ts'
import type * as node from '../../src/runner/node-test/index.ts'
import {
  type DatabaseFixtures,
  database,
  type test as vitestTest,
  type WorkerDatabase,
} from '../../src/runner/vitest/index.ts'

describe('the harness', () => {
  it('accepts options, all of them optional, and no unknown ones', () => {
    expectTypeOf(createHarness).parameter(0).toEqualTypeOf<HarnessOptions | undefined>()
    expectTypeOf(createHarness).returns.resolves.toEqualTypeOf<Harness>()
    expectTypeOf<HarnessOptions>().toExtend<AttachOptions>()
    expectTypeOf<{ migrations: string }>().not.toExtend<HarnessOptions>()
    expectTypeOf(defineConfig).returns.toEqualTypeOf<HarnessOptions>()
    expectTypeOf<HarnessOptions['server']>().toEqualTypeOf<string | ServerSpec | undefined>()
    expectTypeOf<HarnessOptions['leaks']>().toEqualTypeOf<'fail' | 'end' | 'ignore' | undefined>()
    expectTypeOf<HarnessOptions['writes']>().toEqualTypeOf<boolean | string | undefined>()
    expectTypeOf<HarnessOptions['migrate']>().extract<string>().toEqualTypeOf<string>()
  })

  it('starts on a server of any kind', () => {
    expectTypeOf(container).parameter(0).toEqualTypeOf<string>()
    for (const make of [container('postgres:18'), embedded(), existing('postgres://localhost')]) {
      expectTypeOf(make).toExtend<ServerSpec>()
    }
  })

  it('erases by columns, keys or a condition that `sql` creates', () => {
    expectTypeOf<TestDatabase['erase']>().parameter(1).toEqualTypeOf<Where>()
    expectTypeOf<TestDatabase['erase']>().parameter(2).toEqualTypeOf<EraseOptions | undefined>()
    expectTypeOf<TestDatabase['erase']>().returns.resolves.toEqualTypeOf<EraseReport>()
    expectTypeOf(eraseFrom).returns.resolves.toEqualTypeOf<EraseReport>()
    expectTypeOf(sql`id = ${1}`).toEqualTypeOf<SqlFragment>()
    expectTypeOf<{ id: number; at: { lt: Date }; name: null; kind: string[] }>().toExtend<Where>()
    expectTypeOf<(bigint | [string, number])[]>().toExtend<Where>()
    expectTypeOf<string>().not.toExtend<Where>()
    expectTypeOf<{ id: undefined }>().not.toExtend<Where>()
    expectTypeOf<{ cascade: 'all' }>().not.toExtend<EraseOptions>()
  })

  it('leases databases, in this process and in others', () => {
    expectTypeOf<Harness['lease']>().returns.resolves.toEqualTypeOf<TestDatabase>()
    expectTypeOf<Harness['handle']>().toEqualTypeOf<HarnessHandle>()
    expectTypeOf(join).parameter(0).toEqualTypeOf<HarnessHandle>()
    expectTypeOf(join).returns.resolves.toEqualTypeOf<TestDatabase>()
    expectTypeOf(attach).parameter(0).toEqualTypeOf<string | object>()
    expectTypeOf(attach).returns.resolves.toEqualTypeOf<TestDatabase>()
    expectTypeOf<Harness>().toExtend<AsyncDisposable>()
    expectTypeOf<TestDatabase>().toExtend<AsyncDisposable>()
  })
})

describe('a test database', () => {
  it('is reset, and reports the result', () => {
    expectTypeOf<TestDatabase['reset']>().returns.resolves.toEqualTypeOf<TestReport>()
    expectTypeOf<TestReport>().toExtend<ResetReport>()
    expectTypeOf<ResetReport['dirty']>().toEqualTypeOf<readonly string[]>()
    expectTypeOf<ResetReport['writes']>().toEqualTypeOf<readonly TableWrites[]>()
    expectTypeOf<TableWrites['inserted']>().toEqualTypeOf<number | undefined>()
    expectTypeOf<TestDatabase['verify']>().returns.resolves.toEqualTypeOf<Difference[]>()
    expectTypeOf<TestDatabase['openResources']>().returns.resolves.toEqualTypeOf<OpenResource[]>()
    expectTypeOf<TestDatabase['begin']>().parameter(0).toEqualTypeOf<object>()
    expectTypeOf<TestDatabase>().toHaveProperty('url').toEqualTypeOf<string>()
    // @ts-expect-error names are strings
    expectTypeOf<TestDatabase>().toExtend<{ name: number }>()
  })

  it('fails with subclasses of AfreshError', () => {
    expectTypeOf<RefusedError>().toExtend<AfreshError>()
    expectTypeOf<ResetError>().toExtend<AfreshError>()
    expectTypeOf<AfreshError>().toExtend<Error>()
    expectTypeOf<AfreshError['code']>().toEqualTypeOf<ErrorCode>()
    expectTypeOf<'leak' | 'blocked'>().toExtend<ErrorCode>()
    expectTypeOf<AfreshError['next']>().toEqualTypeOf<string | undefined>()
    expectTypeOf([AfreshError, RefusedError, ResetError]).items.toExtend<
      abstract new (
        ...args: never
      ) => Error
    >()
  })
})

describe('afresh/vitest', () => {
  it('exports fixtures and the accessor', () => {
    expectTypeOf(database).toEqualTypeOf<WorkerDatabase>()
    expectTypeOf<TestDatabase>().toExtend<WorkerDatabase>()
    expectTypeOf<WorkerDatabase>().not.toHaveProperty('release')
    expectTypeOf<DatabaseFixtures['testDatabase']>().toEqualTypeOf<TestDatabase>()
    expectTypeOf<typeof vitestTest>().toBeCallableWith('a test', async ({ database: own }) => {
      expectTypeOf(own).toEqualTypeOf<WorkerDatabase>()
    })
  })
})

describe('afresh/jest and afresh/node-test', () => {
  it('export the accessor, and give each concurrent test its own database', () => {
    expectTypeOf<typeof jest.database>().toEqualTypeOf<WorkerDatabase>()
    expectTypeOf<typeof node.database>().toEqualTypeOf<WorkerDatabase>()
    expectTypeOf<typeof jest.withDatabase<[lamps: number]>>().returns.toEqualTypeOf<
      (lamps: number) => Promise<void>
    >()
    expectTypeOf<Parameters<typeof node.withDatabase>[0]>()
      .parameter(0)
      .toEqualTypeOf<{ readonly database: WorkerDatabase }>()
    expectTypeOf<typeof node.withDatabase>().returns.returns.toEqualTypeOf<Promise<void>>()
  })
})
