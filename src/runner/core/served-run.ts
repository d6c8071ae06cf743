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
import { openService } from './service/harness-service.ts'
import type { ServiceAddress } from './service/messages.ts'

/** A run whose harness may still be starting. */
export interface StartedRun {
  /** Answers from now on: requests wait for the harness. */
  readonly service: ServiceAddress
  /** Rejects as `createHarness` does. */
  readonly served: Promise<ServedRun>
  /** Ends the service, then the harness, once `served` is settled. */
  close(): Promise<void>
}

export interface ServedRun {
  readonly harness: Harness
  /** For the workers. */
  readonly handle: RunHandle
  /** Lines for people, for the end of the run. */
  summary(): string[]
}

/** Copies of databases of failed tests that stay where a person can look into them. */
const KEPT_IN_TERMINAL = 3

type RunConfig = Pick<LoadedConfig, 'options' | 'inputs'>

/**
 * Starts the harness of a run. Resolves as soon as the template is found, since workers can be started
 * meanwhile; if it has to be built, when the harness is ready. A failure before that leaves nothing running.
 *
 * @param config as `findConfig` has found it
 * @param folder a private folder for the socket; one of its own by default
 * @throws AfreshError as `createHarness` does
 */
export async function startRun(config: RunConfig, folder?: string): Promise<StartedRun> {
  let onTemplateFound = () => {}
  const found = new Promise<void>((resolve) => {
    onTemplateFound = resolve
  })
  const serving = createServing(config, () => onTemplateFound())
  const endHarness = async () => (await serving.catch(() => undefined))?.harness.close()
  const service = await withUndo(
    () => openService(serving, folder),
    async () => void (await endHarness()),
  )
  const served = serving.then(async ({ harness, summary }) => ({
    harness,
    handle: await service.handle(),
    summary,
  }))
  const close = () =>
    withCleanUp(
      () => service.close(),
      async () => void (await endHarness()),
    )
  try {
    await Promise.race([served, found])
  } catch (error) {
    await close()
    throw error
  }
  // Its users await it, and see its failure.
  served.catch(() => {})
  return { service: service.address, served, close }
}

/** @param onTemplateFound see `HarnessStart` */
async function createServing({ options, inputs }: RunConfig, onTemplateFound: () => void) {
  const start = now()
  const keepFailed = options.keepFailed ?? (isInTerminal() ? KEPT_IN_TERMINAL : 0)
  const harness = await createHarnessFrom({ ...options, keepFailed }, { described: inputs, onTemplateFound })
  const statistics = new RunStatistics(start)
  const { title, isTemplateNew } = harness
  const startMs = now() - start
  return {
    harness,
    statistics,
    copies: new CopiesOfRun(harness.handle.tests.keepFailed),
    summary: () => statistics.summary({ title, isTemplateNew, startMs }),
  }
}
