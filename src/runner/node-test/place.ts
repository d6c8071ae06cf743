/** Where the test processes of a run meet: a private folder, named for the process that runs them. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { AfreshError, codeOf, type ErrorCode } from '../../errors.ts'
import type { HarnessHandle } from '../../harness/handle.ts'

/** What is to be read there, by and by. */
export type Told =
  | { readonly keeper: number; readonly title: string; readonly handle: HarnessHandle }
  | { readonly problem: { readonly code: ErrorCode; readonly message: string } }

/**
 * The folder of the run that this process runs.
 *
 * @param version in watch mode what the harness is made from, else nothing
 */
export function placeOf(runner: number, version: string): string {
  return join(tmpdir(), `${prefixOf(runner)}${version}`)
}

function prefixOf(runner: number): string {
  return `afresh-run-${identityOf(runner) ?? runner}-`
}

/** What tells a running process from a later one that has its id; `undefined` when it has ended. */
export function identityOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0)
    if (process.platform !== 'linux') return String(pid)
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // After the command in brackets: the state, …, and as the 20th the time of its start.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : `${pid}-${fields[19]}`
  } catch (error) {
    return codeOf(error) === 'EPERM' ? String(pid) : undefined
  }
}

/**
 * Whether this process is the first to come, and has to see to the harness.
 *
 * @throws RefusedError for a folder that is somebody else's: it would tell us where to send our data
 */
export function claim(place: string): boolean {
  try {
    mkdirSync(place, { mode: 0o700 })
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
  const found = lstatSync(place, { throwIfNoEntry: false })
  if (found === undefined || (found.isDirectory() && found.uid === (process.getuid?.() ?? found.uid))) {
    return false
  }
  throw new AfreshError('refused', `${place} belongs to somebody else.`, {
    next: 'Set TMPDIR to a folder that nobody else may write to.',
  })
}

/** A keeper whose place is cleared ends. */
export function clear(place: string): void {
  rmSync(place, { recursive: true, force: true })
}

/** Of the same run, for an earlier version of its configuration. */
export function clearOthers(place: string, runner: number): void {
  const folder = dirname(place)
  for (const name of readdirSync(folder)) {
    if (name.startsWith(prefixOf(runner)) && name !== basename(place)) clear(join(folder, name))
  }
}

/** Does nothing at a place that was cleared. */
export function tell(place: string, told: Told): void {
  if (!existsSync(place)) return
  const unfinished = join(place, 'unfinished')
  writeFileSync(unfinished, JSON.stringify(told), { mode: 0o600 })
  renameSync(unfinished, join(place, 'told.json'))
}

export function toldAt(place: string): Told | undefined {
  try {
    return JSON.parse(readFileSync(join(place, 'told.json'), 'utf8'))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
