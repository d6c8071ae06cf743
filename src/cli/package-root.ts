import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of this package. This file is at different depths in `src` and in the installed `dist`. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'fixtures', 'demo', 'schema.sql'))) {
    if (folder === dirname(folder)) throw new Error(`no package around ${fileURLToPath(import.meta.url)}`)
    folder = dirname(folder)
  }
  return folder
}

/** What `afresh serve` does, for tools that make clients. */
export function openApiDocument(): unknown {
  return JSON.parse(readFileSync(join(packageRoot(), 'docs', 'openapi.json'), 'utf8'))
}

export function packageVersion(): string {
  const content: unknown = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'))
  return typeof content === 'object' && content !== null && 'version' in content
    ? String(content.version)
    : ''
}
