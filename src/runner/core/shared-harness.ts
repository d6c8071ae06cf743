import { withCleanUp } from '../../errors.ts'
import { once } from '../../util/once.ts'
import type { LoadedConfig } from './load-config.ts'
import { type ServedRun, type StartedRun, startRun } from './served-run.ts'
import { announce, printLines, withStartLine } from './start-line.ts'

/** One use of a harness that several projects of a process can share. */
export interface SharedHarness extends Omit<StartedRun, 'close'> {
  /**
   * The last use to be released closes the harness. Can be called repeatedly.
   *
   * @throws what `served` rejects with: a harness that failed to start while the tests ran
   */
  release(): Promise<void>
}

interface Entry {
  readonly started: Promise<StartedRun>
  users: number
}

/** Global, because each project loads modules of its own. */
const KEY = Symbol.for('afresh.harnesses')
const global = globalThis as { [KEY]?: Map<string, Entry> }
global[KEY] ??= new Map()
const entries = global[KEY]

/**
 * Joins the harness of this configuration, or starts it and says so. Its end prints the summary of the run.
 *
 * @param terminal `isShared`: see `withStartLine`
 * @throws AfreshError as `startRun` does
 */
export async function acquire(
  config: LoadedConfig,
  { isShared }: { readonly isShared: boolean },
): Promise<SharedHarness> {
  const { options, key } = config
  const entry = entries.get(key) ?? start(config, isShared)
  entry.users++
  const { service, served, close } = await entry.started
  const release = once(async () => {
    entry.users--
    if (entry.users > 0) return
    if (entries.get(key) === entry) entries.delete(key)
    const summarize = async () => {
      const { summary } = await served
      if (options.progress !== false) printLines(summary())
    }
    await withCleanUp(summarize, close)
  })
  return { service, served, release }
}

function start({ options, inputs, key }: LoadedConfig, isShared: boolean): Entry {
  const entry = { started: announced({ options, inputs }, isShared), users: 0 }
  entries.set(key, entry)
  // Who joins after a failure starts another one.
  const forget = () => {
    if (entries.get(key) === entry) entries.delete(key)
  }
  entry.started.then(({ served }) => served).catch(forget)
  return entry
}

/** The line stays until the harness is ready, which may be later than the run can begin. */
function announced(config: Pick<LoadedConfig, 'options' | 'inputs'>, isShared: boolean): Promise<StartedRun> {
  return new Promise((resolve, reject) => {
    const serve = async (options: LoadedConfig['options']): Promise<ServedRun> => {
      const run = await startRun({ ...config, options })
      const served = run.served.then((ready) => {
        announce(ready.harness)
        return ready
      })
      served.catch(() => {})
      resolve({ ...run, served })
      return served
    }
    withStartLine(config.options, serve, isShared).catch(reject)
  })
}
