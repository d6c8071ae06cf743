import { createHash } from 'node:crypto'
import { describeInputs } from '../../baseline/load.ts'
import { loadConfig } from '../../config/file.ts'
import type { HarnessOptions } from '../../config/options.ts'
import { AfreshError, withCleanUp, withUndo } from '../../errors.ts'
import { createHarness, type Harness } from '../../harness/harness.ts'
import { once } from '../../util/once.ts'
import type { RunHandle } from './run-handle.ts'
import { handleWithService } from './service/harness-service.ts'

/** One use of a harness that several projects of a process can share. */
export interface SharedHarness {
  readonly harness: Harness
  /** For the workers. */
  readonly handle: RunHandle
  /** The last use to be released closes the harness. Can be called repeatedly. */
  release(): Promise<void>
}

/** A configuration and the key of its harness. */
export interface LoadedConfig {
  readonly options: HarnessOptions
  /** Changes with the configuration and with its SQL files. */
  readonly key: string
}

interface Served {
  readonly harness: Harness
  readonly handle: RunHandle
  close(): Promise<void>
}

interface Entry {
  readonly served: Promise<Served>
  users: number
}

/** Global, because each project loads modules of its own. */
const KEY = Symbol.for('afresh.harnesses')
const global = globalThis as { [KEY]?: Map<string, Entry> }
global[KEY] ??= new Map()
const entries = global[KEY]

/**
 * The configuration of the first folder that has one.
 *
 * @throws AfreshError `usage` if there is none, or if it is invalid
 */
export async function findConfig(folders: readonly string[]): Promise<LoadedConfig> {
  for (const folder of new Set(folders)) {
    const wanted = await configIn(folder)
    if (wanted !== undefined) return wanted
  }
  throw new AfreshError(
    'usage',
    `There is no afresh.config.ts (or .js, .mjs) in ${[...new Set(folders)].join(' or ')}.`,
    {
      next: "`npx afresh init` writes one. Or write it yourself: import { defineConfig } from 'afresh'; export default defineConfig({ migrate: 'migrations' })",
    },
  )
}

/** The configuration of exactly this folder; `undefined` if there is none. */
export async function configIn(folder: string): Promise<LoadedConfig | undefined> {
  const { path, options } = await loadConfig(folder)
  return path === undefined ? undefined : { options, key: await keyOf(path, options) }
}

async function keyOf(path: string, options: HarnessOptions): Promise<string> {
  const cwd = options.cwd ?? process.cwd()
  const { parts } = await describeInputs(options.migrate, options.fixtures, cwd, options.fingerprint)
  const text = JSON.stringify([path, options, parts], (_, value: unknown) =>
    typeof value === 'function' ? String(value) : value,
  )
  return createHash('sha256').update(text).digest('hex')
}

/** Joins the harness of this configuration, or creates it and then calls `onStart`. */
export async function acquire(
  { options, key }: LoadedConfig,
  onStart: (harness: Harness) => void,
): Promise<SharedHarness> {
  const entry = entries.get(key) ?? start(options, key, onStart)
  entry.users++
  const { harness, handle, close } = await entry.served
  const release = once(async () => {
    entry.users--
    if (entry.users > 0) return
    entries.delete(key)
    await close()
  })
  return { harness, handle, release }
}

function start(options: HarnessOptions, key: string, onStart: (harness: Harness) => void): Entry {
  const make = async () => {
    try {
      const harness = await createHarness(options)
      return await withUndo(async () => {
        const { handle, close } = await handleWithService(harness)
        onStart(harness)
        return { harness, handle, close: () => withCleanUp(close, () => harness.close()) }
      }, harness.close)
    } catch (error) {
      entries.delete(key)
      throw error
    }
  }
  const entry = { served: make(), users: 0 }
  entries.set(key, entry)
  return entry
}
