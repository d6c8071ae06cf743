import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * The path of an optional package, resolved from afresh, otherwise from the user's project (afresh may be
 * linked, or run by npx). `undefined` if it is not installed.
 *
 * @param from a file of another package to resolve from instead
 */
export function resolvePackage(name: string, from?: string): string | undefined {
  const places = from === undefined ? [import.meta.url, join(process.cwd(), 'package.json')] : [from]
  for (const base of places) {
    try {
      return createRequire(base).resolve(name)
    } catch {
      // not found: try the next location
    }
  }
  return undefined
}

/** The parts of a package.json that afresh uses. */
export interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly engines?: { readonly node?: string }
}

/** The package.json of a package, found from one of its files. */
export function manifestOf(name: string, file: string): Manifest | undefined {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const manifest: Manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      if (manifest.name === name) return manifest
    } catch {
      // not here: try the parent folder
    }
  }
  return undefined
}

/** Loads a file that `resolvePackage` found. `T` is its module type. */
export async function loadModule<T>(file: string): Promise<T> {
  return (await import(pathToFileURL(file).href)) as T
}
