import type { Harness } from '../../harness/harness.ts'
import { once } from '../../util/once.ts'
import type { LoadedConfig } from './load-config.ts'
import type { RunHandle } from './run-handle.ts'
import { type ServedRun, serveRun } from './served-run.ts'
import { announce, printLines, withStartLine } from './start-line.ts'

/** One use of a harness that several projects of a process can share. */
export interface SharedHarness {
  readonly harness: Harness
  /** For the workers. */
  readonly handle: RunHandle
  /** The last use to be released closes the harness. Can be called repeatedly. */
  release(): Promise<void>
}

interface Entry {
  readonly served: Promise<ServedRun>
  users: number
}

/** Global, because each project loads modules of its own. */
const KEY = Symbol.for('afresh.harnesses')
const global = globalThis as { [KEY]?: Map<string, Entry> }
global[KEY] ??= new Map()
const entries = global[KEY]

/**
 * Joins the harness of this configuration, or creates it and says so. Its end prints the summary of the run.
 *
 * @param terminal `isShared`: see `withStartLine`
 */
export async function acquire(
  config: LoadedConfig,
  { isShared }: { readonly isShared: boolean },
): Promise<SharedHarness> {
  const { options, key } = config
  const entry = entries.get(key) ?? start(config, isShared)
  entry.users++
  const { harness, handle, summary, close } = await entry.served
  const release = once(async () => {
    entry.users--
    if (entry.users > 0) return
    entries.delete(key)
    if (options.progress !== false) printLines(summary())
    await close()
  })
  return { harness, handle, release }
}

function start({ options, inputs, key }: LoadedConfig, isShared: boolean): Entry {
  const make = async () => {
    try {
      const served = await withStartLine(options, (given) => serveRun({ options: given, inputs }), isShared)
      announce(served.harness)
      return served
    } catch (error) {
      entries.delete(key)
      throw error
    }
  }
  const entry = { served: make(), users: 0 }
  entries.set(key, entry)
  return entry
}
