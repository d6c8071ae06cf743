/** The private directory in which test processes find the harness of their run. Named after the runner. */
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
import { codeOf, type ErrorCode, RefusedError } from '../../../errors.ts'
import { identityOf, isRunning } from '../../../util/process-identity.ts'
import type { ProgressEvent } from '../../../util/progress.ts'
import type { RunHandle } from '../run-handle.ts'

/** The contents of `state.json`. */
export type RunState =
  | {
      readonly pid: number
      readonly title: string
      readonly warnings: readonly string[]
      readonly handle: RunHandle
      /** Whether the run says something of itself at its end. */
      readonly hasSummary: boolean
    }
  | { readonly problem: { readonly code: ErrorCode; readonly message: string } }

/**
 * The directory of a run.
 *
 * @param runner the identity of the process that runs the tests
 * @param version identifies the configuration in watch mode, otherwise empty
 */
export function runDirectory(runner: string, version: string): string {
  return join(tmpdir(), `${prefixOf(runner)}${version}`)
}

function prefixOf(runner: string): string {
  return `afresh-run-${runner}-`
}

/**
 * Whether this process is the first of the run, and must start the harness.
 *
 * @throws RefusedError for a directory of another user, who could redirect our data
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
  throw new RefusedError(`${directory} belongs to another user.`, {
    next: 'Set TMPDIR to a folder that only you may write to.',
  })
}

/** The harness process of this directory then exits. */
export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
}

/** Removes the directories of earlier configurations of the same run. */
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

/** For the process that waits for the state. */
export function writeProgress(directory: string, event: ProgressEvent): void {
  write(directory, 'progress.json', JSON.stringify(event))
}

export function readProgress(directory: string): ProgressEvent | undefined {
  const text = read(directory, 'progress.json')
  return text === undefined ? undefined : JSON.parse(text)
}

/** Records which process must write the state. The others wait only as long as that process lives. */
export function writeOwner(directory: string, pid: number): void {
  const identity = identityOf(pid)
  if (identity !== undefined) write(directory, 'in-charge', identity)
}

/** Whether the process that must write the state has exited. */
export function isAbandoned(directory: string): boolean {
  const identity = read(directory, 'in-charge')
  return identity !== undefined && !isRunning(identity)
}

/** Does nothing if the directory was removed. */
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
