/**
 * In: a folder.
 * Out: the configuration file in it, loaded and validated (`options.ts`).
 * Called by `runner/core/load-config.ts` and the command line.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { AfreshError, messageOf } from '../errors.ts'
import type { HarnessOptions } from './options.ts'

const NAMES = ['ts', 'mts', 'js', 'mjs', 'cjs'].map((extension) => `afresh.config.${extension}`)

export interface LoadedConfig {
  /** The configuration file; `undefined` if there is none, and then `options` is empty. */
  readonly path: string | undefined
  readonly options: HarnessOptions
}

/**
 * Finds and loads the configuration file of a project. Relative paths in it are resolved against its folder.
 *
 * @param cwd the folder to search; its parents are not searched. Or the file itself, whatever its name is
 * @throws AfreshError `usage` for several files, a file that fails to load, or one that exports no options
 */
export async function loadConfig(cwd: string): Promise<LoadedConfig> {
  const found = isFile(cwd)
    ? [resolve(cwd)]
    : NAMES.map((name) => join(resolve(cwd), name)).filter((path) => existsSync(path))
  const [path, ...others] = found
  if (path === undefined) return { path: undefined, options: {} }
  if (others.length > 0) {
    throw new AfreshError(
      'usage',
      `There are several configuration files in ${cwd}: ${found.map((file) => basename(file)).join(', ')}.`,
      { next: 'Keep one of them.' },
    )
  }
  const options = exportedOptions(path, await load(path))
  return { path, options: { ...options, cwd: resolve(dirname(path), options.cwd ?? '.') } }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

/** Files that Node has loaded: it keeps what they exported, though they may have changed. */
const loadedByNode = new Set<string>()

async function load(path: string): Promise<unknown> {
  const { createJiti } = await import('jiti')
  // No caches: in watch mode the file may have changed, and jiti would leave a cache on disk.
  const jiti = createJiti(import.meta.url, { moduleCache: false, fsCache: false })
  const ext = extname(path)
  const isByNode = ext === '.mjs' || ext === '.cjs'
  try {
    if (isByNode && loadedByNode.has(path)) {
      const options = { id: path, filename: path, ext, async: true, forceTranspile: true }
      return asModule(await jiti.evalModule(readFileSync(path, 'utf8'), options))
    }
    if (isByNode) loadedByNode.add(path)
    return await jiti.import(path)
  } catch (cause) {
    throw new AfreshError('usage', `${path} could not be loaded: ${messageOf(cause)}`, {
      next: 'Correct the file; it is run unchanged, like a module of your own.',
      cause,
    })
  }
}

/** CommonJS exports what is the default export of a module. */
function asModule(exported: unknown): unknown {
  return typeof exported === 'object' && exported !== null && 'default' in exported
    ? exported
    : { default: exported }
}

function exportedOptions(path: string, module: unknown): HarnessOptions {
  const exported =
    typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined
  if (typeof exported === 'object' && exported !== null && !Array.isArray(exported)) return exported
  throw new AfreshError('usage', `${path} exports no options.`, {
    next: "Write: import { defineConfig } from 'afresh'; export default defineConfig({ … })",
  })
}
