import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const BUILT = 'bench/report-client.js'

/** The page's script, bundled with its libraries: read from the package, or built if run from sources. */
export async function clientBundle(): Promise<string> {
  const ownFile = fileURLToPath(import.meta.url)
  if (ownFile.endsWith('.ts')) return bundled(join(dirname(ownFile), 'client/main.ts'))
  let folder = dirname(ownFile)
  while (!existsSync(join(folder, BUILT))) {
    if (folder === dirname(folder)) throw new Error(`no ${BUILT} above ${ownFile}`)
    folder = dirname(folder)
  }
  return readFile(join(folder, BUILT), 'utf8')
}

/** Bundles in the same way as `tsdown.config.ts`. */
async function bundled(entry: string): Promise<string> {
  const { build } = await import('rolldown')
  const { output } = await build({
    input: entry,
    platform: 'browser',
    transform: { target: 'es2022' },
    output: { format: 'iife', minify: true },
    write: false,
  })
  return output[0].code
}
