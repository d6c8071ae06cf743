/**
 * In: the configuration file of a vitest process.
 * Out: one server and template for all its projects, and where workers ask for databases.
 * Called by vitest: `globalSetup: ['afresh/vitest/global-setup']`.
 */
import type { TestProject } from 'vitest/node'
import { messageOf } from '../../errors.ts'
import { findConfig, type LoadedConfig } from '../core/load-config.ts'
import { withPlainErrors } from '../core/plain-errors.ts'
import { acquire, type SharedHarness } from '../core/shared-harness.ts'
import type {} from './provided.ts'

/** vitest redraws its summary while the setup runs, and makes a line of its own of whatever others write. */
const TERMINAL = { isShared: true }

/**
 * Starts the harness of `afresh.config.*` and tells the workers where to ask for databases. If an earlier run
 * has left the template, vitest starts the workers while the server starts. In watch mode the harness
 * stays up between runs, until the configuration or its SQL files change.
 *
 * @throws AfreshError naming the problem with the configuration, the server or the migrations
 */
export default function setup(project: TestProject): Promise<() => Promise<void>> {
  return withPlainErrors(() => start(project))
}

async function start(project: TestProject): Promise<() => Promise<void>> {
  const folders = [project.config.root, project.vitest.config.root]
  let wanted = await findConfig(folders)
  let held = await acquire(wanted, TERMINAL)
  provide(project, held)

  project.onTestsRerun(async () => {
    try {
      const now = await findConfig(folders)
      const isChanged = now.key !== wanted.key
      if (isChanged || (await hasFailed(held))) held = await exchange(held, now)
      wanted = now
      provide(project, held)
    } catch (error) {
      // An error here would end watch mode, so the tests report it.
      project.provide('afresh', { problem: messageOf(error) })
    }
  })
  return () => withPlainErrors(() => held.release())
}

async function exchange(old: SharedHarness, wanted: LoadedConfig): Promise<SharedHarness> {
  const next = await acquire(wanted, TERMINAL)
  // The tests have reported why it failed, if it did.
  await old.release().catch(() => {})
  return next
}

function hasFailed({ served }: SharedHarness): Promise<boolean> {
  return served.then(
    () => false,
    () => true,
  )
}

function provide(project: TestProject, { service }: SharedHarness): void {
  project.provide('afresh', { service, keep: keepsProcess(project.config) })
}

/** Whether a worker runs further test files with the modules that it has loaded. */
function keepsProcess({ pool, isolate, ...config }: TestProject['config']): boolean {
  if (pool === 'vmThreads' || pool === 'vmForks') return false
  // vitest 3 also has it per pool.
  const { poolOptions } = config as { poolOptions?: Record<string, { isolate?: boolean } | undefined> }
  return (poolOptions?.[pool]?.isolate ?? isolate) === false
}
