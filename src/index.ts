/** The public API of afresh: everything that is exported is documented in README.md. */
export type { Fixtures, Migrate, MigrateContext } from './baseline/load.ts'
export { type AttachOptions, defineConfig, type HarnessOptions } from './config.ts'
export type { Hold, HoldKind } from './engine/engine.ts'
export type { PurgeOptions } from './erase/erase.ts'
export type { EraseBranch, EraseView } from './erase/explain.ts'
export type { EraseOptions, EraseProgress } from './erase/options.ts'
export type { ErasedTable, EraseReport } from './erase/report.ts'
export { type SqlFragment, sql } from './erase/sql.ts'
export type { Key, Range, Value, Where } from './erase/where.ts'
export {
  AfreshError,
  EraseError,
  type ErrorCode,
  type FailedStep,
  RefusedError,
  ResetError,
} from './errors.ts'
export { type Adoption, type AdoptOptions, adopt, type Candidate } from './harness/adopt.ts'
export { attach } from './harness/attach.ts'
export { type EmptyOptions, emptyDatabase } from './harness/empty.ts'
export { eraseFrom, planErase, purgeFrom } from './harness/erase.ts'
export type { HarnessHandle } from './harness/handle.ts'
export { createHarness, type Harness, type HarnessHooks } from './harness/harness.ts'
export { type PlanView, planReset, type StepView } from './harness/preview.ts'
export { type LeaseOptions, leaseFrom as join, type TestDatabase } from './harness/test-database.ts'
export type { ResetReport, StepReport } from './reset/report.ts'
export type { RollbackReport, TestReport } from './reset/rollback/rollback.ts'
export type { Difference } from './reset/verify.ts'
export type { Written } from './reset/written.ts'
export {
  type ContainerOptions,
  container,
  type EmbeddedOptions,
  embedded,
  existing,
  type ServerSpec,
} from './server/server.ts'
