import { createHash } from 'node:crypto'
import { describeInputs } from '../../baseline/load.ts'
import { loadConfig } from '../../config/file.ts'
import type { HarnessOptions } from '../../config/options.ts'
import { AfreshError } from '../../errors.ts'
import type { Harness } from '../../harness/harness.ts'
import { once } from '../../util/once.ts'
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

/** A configuration and the key of its harness. */
export interface LoadedConfig {
  readonly options: HarnessOptions
  /** Changes with the configuration and with its SQL files. */
  readonly key: string
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

/**
 * Joins the harness of this configuration, or creates it and says so. Its end prints the summary of the run.
 *
 * @param terminal `isShared`: see `withStartLine`
 */
export async function acquire(
  { options, key }: LoadedConfig,
  { isShared }: { readonly isShared: boolean },
): Promise<SharedHarness> {
  const entry = entries.get(key) ?? start(options, key, isShared)
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

function start(options: HarnessOptions, key: string, isShared: boolean): Entry {
  const make = async () => {
    try {
      const served = await withStartLine(options, (given) => serveRun(given), isShared)
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
