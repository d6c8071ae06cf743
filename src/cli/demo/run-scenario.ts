/**
 * In: a schema and a server.
 * Out: a run of tests that dirty it, with what each reset did.
 * Called by `commands/demo.ts`.
 */
import type { BaselineInputs } from '../../baseline/load.ts'
import { type Opened, open } from '../../engine/registry.ts'
import { withCleanUp } from '../../errors.ts'
import { createHarnessFrom, type Harness } from '../../harness/harness.ts'
import { type PlanView, planReset } from '../../harness/plan-view.ts'
import type { TestDatabase } from '../../harness/test-database.ts'
import type { ResetReport } from '../../reset/report.ts'
import type { Difference } from '../../reset/verify.ts'
import type { ServerSpec } from '../../server/server.ts'
import type { Progress } from '../../util/progress.ts'
import type { Scenario, ScenarioTest } from './scenario.ts'

/** A finished test: what it wrote, what the reset did, and whether the database is at its baseline again. */
export interface ScenarioResult extends ResetReport {
  readonly round: number
  readonly title: string
  readonly wrote: string | undefined
  /** Empty if an independent fingerprint of all tables and sequences equals the baseline's. */
  readonly differences: readonly Difference[]
}

export interface Ready {
  readonly server: string
  readonly database: string
  readonly plan: PlanView
  readonly baselineRows: number
  /** Milliseconds for the server, the template with its rows, and the first test database. */
  readonly readyMs: number
}

export interface ScenarioOptions {
  readonly scenario: Scenario
  readonly server: ServerSpec
  readonly rounds: number
  /** Reports what the start does. */
  readonly during: <T>(start: (progress: Progress) => Promise<T>) => Promise<T>
  /** Called before the first test. */
  readonly onReady: (stage: Ready) => void
  readonly onResult: (played: ScenarioResult) => void
}

/** No template stays, not even that of the migrations. */
const NOTHING_KEPT: BaselineInputs = { parts: [], cacheable: false, migrations: [] }

/** Runs a complete scenario. Leaves nothing behind, even on Ctrl-C. */
export async function runScenario(options: ScenarioOptions): Promise<void> {
  const start = performance.now()
  const harness = await options.during((progress) =>
    createHarnessFrom(
      {
        server: options.server,
        project: 'demo',
        migrate: [options.scenario.schemaFile],
        fixtures: ({ url }) => withClient(url, 'afresh demo (rows)', options.scenario.fill),
        progress,
      },
      { described: NOTHING_KEPT },
    ),
  )
  const stopListening = closeOnInterrupt(harness)
  await withCleanUp(
    () => runTests(harness, options, start),
    async () => {
      stopListening()
      await harness.close()
    },
  )
}

async function runTests(harness: Harness, options: ScenarioOptions, start: number): Promise<void> {
  const database = await harness.lease()
  await withCleanUp(
    async () => {
      const readyMs = performance.now() - start
      options.onReady({
        server: harness.title,
        database: database.name,
        plan: await planReset(database.url),
        baselineRows: harness.handle.baseline.tables.reduce((sum, [, rows]) => sum + rows, 0),
        readyMs,
      })
      await withClient(database.url, 'demo application', async (client) => {
        for (let round = 1; round <= options.rounds; round++) {
          for (const test of await options.scenario.tests(client)) {
            options.onResult(await runTest(database, test, round))
          }
        }
      })
    },
    () => database.release(),
  )
}

async function runTest(database: TestDatabase, test: ScenarioTest, round: number): Promise<ScenarioResult> {
  const wrote = await test.write()
  const report = await database.reset()
  return { round, title: test.title, wrote, ...report, differences: await database.verify() }
}

async function withClient<T>(
  url: string,
  applicationName: string,
  body: (client: Opened) => Promise<T>,
): Promise<T> {
  const opened = await open(url, { applicationName, names: 'user' })
  return withCleanUp(
    () => body(opened),
    () => opened.connection.close(),
  )
}

/** A server of afresh ends with this process. On any other server, the databases must be dropped. */
function closeOnInterrupt(harness: Harness): () => void {
  const onInterrupt = () => {
    harness.close().finally(() => process.exit(130))
  }
  process.once('SIGINT', onInterrupt).once('SIGTERM', onInterrupt)
  return () => process.off('SIGINT', onInterrupt).off('SIGTERM', onInterrupt)
}
