import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import ts from 'typescript'
import { expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const manifest: {
  exports: Record<string, string | { types?: string; import?: { types: string } }>
} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/**
 * Resolves types like TypeScript with `moduleResolution: node10`, in an installed package with all its files.
 */
function resolved(name: string): string | undefined {
  const installed = '/project/node_modules/afresh/'
  const isFile = (path: string) =>
    path === `${installed}package.json` ||
    (path.startsWith(`${installed}dist/`) && path.endsWith('.d.ts') && declared.has(path))
  const host: ts.ModuleResolutionHost = {
    fileExists: isFile,
    readFile: (path) =>
      path === `${installed}package.json` ? readFileSync(join(root, 'package.json'), 'utf8') : undefined,
    directoryExists: () => true,
  }
  const declared = new Set(
    Object.values(manifest.exports).flatMap((entry) => {
      const types = typeof entry === 'string' ? undefined : (entry.types ?? entry.import?.types)
      return types === undefined ? [] : [join(installed, types)]
    }),
  )
  const options = { moduleResolution: ts.ModuleResolutionKind.Node10 }
  return ts.resolveModuleName(name, '/project/src/a.ts', options, host).resolvedModule?.resolvedFileName
}

it('every entry has its types with moduleResolution node10 too', () => {
  expect(existsSync(join(root, 'package.json'))).toBe(true)
  for (const [entry, target] of Object.entries(manifest.exports)) {
    if (typeof target === 'string') continue
    const types = target.types ?? target.import?.types ?? ''
    expect(resolved(entry.replace('.', 'afresh')), entry).toBe(join('/project/node_modules/afresh', types))
  }
})
