import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * Where an optional package is installed: seen from afresh, else from the user's project (afresh may be
 * linked, or run by npx). `undefined` where it is not.
 *
 * @param from a file of another package to look from instead
 */
export function resolvePackage(name: string, from?: string): string | undefined {
  const places = from === undefined ? [import.meta.url, join(process.cwd(), 'package.json')] : [from]
  for (const base of places) {
    try {
      return createRequire(base).resolve(name)
    } catch {
      // not there: the next place
    }
  }
  return undefined
}

/** As much of a package.json as is used here. */
export interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly engines?: { readonly node?: string }
}

/** The package.json of a package, from one of its files. */
export function manifestOf(name: string, file: string): Manifest | undefined {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const manifest: Manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      if (manifest.name === name) return manifest
    } catch {
      // not here: one further up
    }
  }
  return undefined
}

/** Loads a file that `locate` found. `T` is its module type. */
export async function loadModule<T>(file: string): Promise<T> {
  return (await import(pathToFileURL(file).href)) as T
}
