/** The public API of afresh; docs/ documents what is exported here. */
export type { FixtureSets, Fixtures, Migrate, MigrateContext } from './baseline/load.ts'
export { type AttachOptions, defineConfig, type HarnessOptions } from './config/options.ts'
export type { OpenResource, OpenResourceKind } from './engine/open-resources.ts'
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
export { type EmptyDatabaseOptions, emptyDatabase } from './harness/empty-database.ts'
export { eraseFrom, planErase, purgeFrom } from './harness/erase-by-url.ts'
export type { HarnessHandle } from './harness/handle.ts'
export { createHarness, type Harness } from './harness/harness.ts'
export type { KeepOptions, KeptCopy } from './harness/keep-copy.ts'
export { leaseFrom as join } from './harness/lease-from.ts'
export { type PlanView, planReset, type StepView } from './harness/plan-view.ts'
export type { LeaseOptions, TestDatabase } from './harness/test-database.ts'
export type { ResetReport, StepReport } from './reset/report.ts'
export type { RollbackReport, TestReport } from './reset/rollback.ts'
export type { Difference } from './reset/verify.ts'
export type { TableWrites } from './reset/writes.ts'
export {
  type ContainerOptions,
  container,
  type EmbeddedOptions,
  embedded,
  existing,
  type ServerSpec,
} from './server/server.ts'
export type { ProgressEvent, ProgressPhase } from './util/progress.ts'
