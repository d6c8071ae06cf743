/** In: folders. Out: the configuration of a run, and the hashes of the files that it names, which are read once. */
import { createHash } from 'node:crypto'
import { type BaselineInputs, describeInputs } from '../../baseline/load.ts'
import { loadConfig } from '../../config/file.ts'
import type { HarnessOptions } from '../../config/options.ts'
import { AfreshError } from '../../errors.ts'

/** A configuration and the key of its harness. */
export interface LoadedConfig {
  /** The folder that contains the configuration file. */
  readonly folder: string
  readonly options: HarnessOptions
  /** The hashes of the files that the options name. */
  readonly inputs: BaselineInputs
  /** Changes with the configuration and with its SQL files. */
  readonly key: string
}

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
  if (path === undefined) return undefined
  const { migrate, fixtures, fingerprint, cwd = process.cwd() } = options
  const inputs = await describeInputs(migrate, fixtures, cwd, fingerprint)
  return { folder, options, inputs, key: keyOf(path, options, inputs) }
}

function keyOf(path: string, options: HarnessOptions, { parts }: BaselineInputs): string {
  const text = JSON.stringify([path, options, parts], (_, value: unknown) =>
    typeof value === 'function' ? String(value) : value,
  )
  return createHash('sha256').update(text).digest('hex')
}
