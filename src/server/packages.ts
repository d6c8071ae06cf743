import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * Where an optional package is installed: seen from afresh, else from the user's project (afresh may be
 * linked, or run by npx). `undefined` where it is not.
 *
 * @param from a file of another package to look from instead
 */
export function locate(name: string, from?: string): string | undefined {
  const places = from === undefined ? [import.meta.url, join(process.cwd(), 'package.json')] : [from]
  for (const place of places) {
    try {
      return createRequire(place).resolve(name)
    } catch {
      // not there: the next place
    }
  }
  return undefined
}

/** Loads a file that `locate` found. `T` is its module type. */
export async function load<T>(file: string): Promise<T> {
  return (await import(pathToFileURL(file).href)) as T
}
