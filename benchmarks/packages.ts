import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'

/** The folder of benchmarks/package.json, whose packages the main project lacks. */
export const PACKAGES_FOLDER = import.meta.dirname

/**
 * Installs the packages if they are missing or older than the lock file. None of them needs its install
 * script.
 */
export function ensureInstalled(): void {
  const installed = writtenAt('node_modules/.package-lock.json')
  if (installed > Math.max(writtenAt('package.json'), writtenAt('package-lock.json'))) return
  console.error(`Installs the packages of ${join(PACKAGES_FOLDER, 'package-lock.json')}`)
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: PACKAGES_FOLDER,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (status !== 0) throw new Error(`npm ci failed in ${PACKAGES_FOLDER}`)
}

/** Milliseconds since 1970; 0 if the file is missing. */
function writtenAt(file: string): number {
  return statSync(join(PACKAGES_FOLDER, file), { throwIfNoEntry: false })?.mtimeMs ?? 0
}
