/** Compares the notices with the third-party modules that the bundler includes. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from 'tsdown'
import { expect, it } from 'vitest'
import { programs } from '../../tsdown.config.ts'

const NOTICES = readFileSync(new URL('../../THIRD-PARTY-NOTICES.txt', import.meta.url), 'utf8')

/** Name and version of the package that contains a file. */
function packageOf(file: string): string {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json')
    if (!existsSync(manifest)) continue
    const { name, version } = JSON.parse(readFileSync(manifest, 'utf8'))
    // Packages have such files without a name in subfolders, to set the module type of the files there.
    if (name !== undefined && version !== undefined) return `${name} ${version}`
  }
  throw new Error(`${file} is in no package`)
}

it('THIRD-PARTY-NOTICES.txt names every package whose code is in dist, in its version, and no other', async () => {
  const files = new Set<string>()
  for (const options of programs) {
    for (const { chunks } of await build({ ...options, config: false, write: false, logLevel: 'warn' })) {
      for (const chunk of chunks) {
        if (chunk.type !== 'chunk') continue
        for (const [file, { renderedLength }] of Object.entries(chunk.modules)) {
          if (renderedLength > 0 && file.includes('node_modules')) files.add(file)
        }
      }
    }
  }
  const bundled = new Set([...files].map((file) => packageOf(file.replace(/^\0|\?.*$/g, ''))))
  const named = [...NOTICES.matchAll(/^={10,}\n(\S+ \d\S*)$/gm)].map(([, name]) => name)
  expect(named.sort()).toEqual([...bundled].sort())
})
