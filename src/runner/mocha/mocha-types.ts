import type { NamedTest } from '../core/leak-check.ts'

/** The parts of a test of mocha 10 to 12 that afresh uses. */
export interface MochaTest {
  readonly file?: string | undefined
  readonly state?: string | undefined
  readonly parent?: object | undefined
  titlePath(): string[]
}

/** The context of a root hook. */
export interface HookContext {
  readonly currentTest?: MochaTest | undefined
  /** The hook. `error` makes the test fail, and no other: https://mochajs.org/api/hook */
  readonly test: { error(error: unknown): void }
  timeout(ms: number): unknown
  skip(): never
}

/** https://mochajs.org/#root-hook-plugins */
export interface RootHooks {
  readonly beforeEach: readonly ((this: HookContext) => Promise<void>)[]
  readonly afterEach: readonly ((this: HookContext) => Promise<void>)[]
}

/** The context of a global fixture. */
export interface Runner {
  isParallelMode?(): boolean
}

export function nameOf(test: MochaTest): NamedTest {
  return { test: test.titlePath().join(' > '), file: test.file }
}
