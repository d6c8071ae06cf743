/**
 * In: the configuration files of jest's projects.
 * Out: one server and template for all of them, and the handles for the workers.
 * Called by jest: `globalSetup: 'afresh/jest/global-setup'`.
 */
import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { AfreshError, withUndo } from '../../errors.ts'
import { urlOfSlot } from '../../harness/lease-from.ts'
import { configIn, findConfig } from '../core/load-config.ts'
import { withPlainErrors } from '../core/plain-errors.ts'
import type { RunHandle } from '../core/run-handle.ts'
import { acquire } from '../core/shared-harness.ts'
import { activeHarnesses, releaseActiveHarnesses } from './active-harnesses.ts'
import { provide } from './provided.ts'

/** The parts of jest's global configuration that afresh uses. */
export interface GlobalConfig {
  readonly rootDir: string
  readonly maxWorkers: number
  readonly globalTeardown?: string | null | undefined
  /** Folders, configuration files, or configurations. */
  readonly projects?: readonly (string | { readonly rootDir?: string | undefined })[] | undefined
}

/** The parts of a project's configuration that afresh uses. */
export interface ProjectConfig {
  readonly rootDir: string
  readonly globalTeardown?: string | null | undefined
}

/**
 * Starts the harness of `afresh.config.*` and passes its handle to the workers. Projects with a configuration
 * of their own get a harness of their own. A failure leaves nothing running.
 *
 * @throws AfreshError naming the problem with the configuration, the server or the migrations
 */
export default async function setup(run: GlobalConfig, project: ProjectConfig): Promise<void> {
  if (!(run.globalTeardown || project.globalTeardown)) throw noTeardown()
  await releaseActiveHarnesses()
  await withPlainErrors(() => withUndo(() => start(run, project), releaseActiveHarnesses))
}

async function start(run: GlobalConfig, project: ProjectConfig): Promise<void> {
  const fallbacks = [run.rootDir, process.cwd()]
  const first = await findConfig([project.rootDir, ...fallbacks])
  const slots = Array.from({ length: run.maxWorkers }, (_, index) => index + 1)
  const handles: Record<string, RunHandle> = {}
  const urls: Record<string, string[]> = {}
  for (const folder of [project.rootDir, ...foldersOf(run)]) {
    for (const root of [folder, ...fallbacks]) {
      if (root in handles) break
      const wanted = root === first.folder ? first : await configIn(root)
      if (wanted === undefined) continue
      const { served, release } = await acquire(wanted, { isShared: false })
      // Its tests read the URLs in their environment, so there is no run without them.
      const { harness, handle } = await served.catch(async (error) => {
        // It fails as `served` does.
        await release().catch(() => {})
        throw error
      })
      activeHarnesses.push({ run: handle.run, release })
      handles[root] = handle
      urls[root] = slots.map((slot) => urlOfSlot(harness.handle, slot))
      break
    }
  }
  provide({ handles, urls })
}

/** jest runs the setup for only one of the projects that have it, so collect the folders of all. */
function foldersOf({ rootDir, projects = [] }: GlobalConfig): string[] {
  return projects.flatMap((project) => {
    const named = typeof project === 'string' ? project : (project.rootDir ?? '.')
    const path = resolve(rootDir, named.replace('<rootDir>', rootDir))
    const found = statSync(path, { throwIfNoEntry: false })
    return found === undefined ? [] : [found.isDirectory() ? path : dirname(path)]
  })
}

function noTeardown(): AfreshError {
  return new AfreshError(
    'usage',
    'Nothing would stop the server: the jest configuration has no globalTeardown.',
    {
      next: "Add globalTeardown: 'afresh/jest/global-teardown' to it.",
    },
  )
}
