import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** What benchmarks/package.json names, and the main project does not. */
export const PACKAGES_FOLDER = import.meta.dirname

/** Installs them where they are missing; none of them needs its install script. */
export function ensureInstalled(): void {
  if (existsSync(join(PACKAGES_FOLDER, 'node_modules/.package-lock.json'))) return
  console.error(`Installs the packages of ${join(PACKAGES_FOLDER, 'package.json')}, once`)
  const { status } = spawnSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: PACKAGES_FOLDER,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (status !== 0) throw new Error(`npm install failed in ${PACKAGES_FOLDER}`)
}
