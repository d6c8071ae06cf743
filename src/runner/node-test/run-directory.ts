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
export type RunState =
  | { readonly pid: number; readonly title: string; readonly handle: HarnessHandle }
  | { readonly problem: { readonly code: ErrorCode; readonly message: string } }

/**
 * The folder of the run that a process runs.
 *
 * @param runner the identity of that process
 * @param version in watch mode what the harness is made from, else nothing
 */
export function runDirectory(runner: string, version: string): string {
  return join(tmpdir(), `${prefixOf(runner)}${version}`)
}

function prefixOf(runner: string): string {
  return `afresh-run-${runner}-`
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

export function isRunning(identity: string): boolean {
  return identityOf(Number.parseInt(identity, 10)) === identity
}

/**
 * Whether this process is the first to come, and has to see to the harness.
 *
 * @throws RefusedError for a folder that is somebody else's: it would tell us where to send our data
 */
export function createDirectory(directory: string): boolean {
  try {
    mkdirSync(directory, { mode: 0o700 })
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
  const found = lstatSync(directory, { throwIfNoEntry: false })
  if (found === undefined || (found.isDirectory() && found.uid === (process.getuid?.() ?? found.uid))) {
    return false
  }
  throw new AfreshError('refused', `${directory} belongs to another user.`, {
    next: 'Set TMPDIR to a folder that only you may write to.',
  })
}

/** A harness process whose directory is removed ends. */
export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
}

/** Of the same run, for an earlier version of its configuration. */
export function removeAbandoned(directory: string, runner: string): void {
  const folder = dirname(directory)
  for (const name of readdirSync(folder)) {
    if (name.startsWith(prefixOf(runner)) && name !== basename(directory)) removeDirectory(join(folder, name))
  }
}

export function writeState(directory: string, state: RunState): void {
  write(directory, 'state.json', JSON.stringify(state))
}

export function readState(directory: string): RunState | undefined {
  const text = read(directory, 'state.json')
  return text === undefined ? undefined : JSON.parse(text)
}

/** Says who is to tell: the others wait no longer than that process lives. */
export function writeOwner(directory: string, pid: number): void {
  const identity = identityOf(pid)
  if (identity !== undefined) write(directory, 'in-charge', identity)
}

/** Whether the process that was to tell has ended. */
export function isAbandoned(directory: string): boolean {
  const identity = read(directory, 'in-charge')
  return identity !== undefined && !isRunning(identity)
}

/** Does nothing at a place that was cleared. */
function write(directory: string, name: string, text: string): void {
  if (!existsSync(directory)) return
  const unfinished = join(directory, `${name}.unfinished`)
  writeFileSync(unfinished, text, { mode: 0o600 })
  renameSync(unfinished, join(directory, name))
}

function read(directory: string, name: string): string | undefined {
  try {
    return readFileSync(join(directory, name), 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
