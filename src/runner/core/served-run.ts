/**
 * In: a configuration. Out: a harness, and the service by which the workers of the run lease its databases.
 * Called by the global setup of a runner; of node:test, by the process that keeps the harness.
 */
import { withCleanUp, withUndo } from '../../errors.ts'
import { createHarnessFrom, type Harness } from '../../harness/harness.ts'
import { now } from '../../util/clock.ts'
import { isInTerminal } from './in-terminal.ts'
import type { LoadedConfig } from './load-config.ts'
import type { RunHandle } from './run-handle.ts'
import { RunStatistics } from './run-statistics.ts'
import { CopiesOfRun } from './service/copies-of-run.ts'
import { handleWithService } from './service/harness-service.ts'

export interface ServedRun {
  readonly harness: Harness
  /** For the workers. */
  readonly handle: RunHandle
  /** Lines for people, for the end of the run. */
  summary(): string[]
  /** Ends the service, then the harness. */
  close(): Promise<void>
}

/** Copies of databases of failed tests that stay where a person can look into them. */
const KEPT_IN_TERMINAL = 3

/**
 * Starts the harness of a run. A failure leaves nothing running.
 *
 * @param config as `findConfig` has found it
 * @param folder a private folder for the socket; one of its own by default
 * @throws AfreshError as `createHarness` does
 */
export async function serveRun(
  { options, inputs }: Pick<LoadedConfig, 'options' | 'inputs'>,
  folder?: string,
): Promise<ServedRun> {
  const start = now()
  const keepFailed = options.keepFailed ?? (isInTerminal() ? KEPT_IN_TERMINAL : 0)
  const harness = await createHarnessFrom({ ...options, keepFailed }, inputs)
  return withUndo(async () => {
    const statistics = new RunStatistics(start)
    const { title, isTemplateNew } = harness
    const copies = new CopiesOfRun(harness.handle.tests.keepFailed)
    let startMs = 0
    const summary = () => statistics.summary({ title, isTemplateNew, startMs })
    const { handle, close } = await handleWithService(harness, { folder, statistics, copies, summary })
    startMs = now() - start
    return { harness, handle, summary, close: () => withCleanUp(close, () => harness.close()) }
  }, harness.close)
}
