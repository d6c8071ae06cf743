/**
 * In: a run directory, the identity of the process that runs the tests, and folders.
 * Out: a separate process that owns the harness of the run. It ends when the process that runs the tests has exited, for
 * whatever reason, or when the run directory is removed. Few runners load code of afresh both at the start and at the end
 * of a run, and none if it is killed.
 * Called by `join-run.ts`.
 */
import { existsSync } from 'node:fs'
import type { HarnessOptions } from '../../../config/options.ts'
import { AfreshError, messageOf } from '../../../errors.ts'
import { registerCleanup } from '../../../server/cleanup.ts'
import { clearInterval, setInterval, sleep } from '../../../util/clock.ts'
import { isRunning } from '../../../util/process-identity.ts'
import type { ProgressEvent } from '../../../util/progress.ts'
import { findConfig } from '../load-config.ts'
import { startRun } from '../served-run.ts'
import { removeAbandoned, removeDirectory, writeProgress, writeState } from './run-directory.ts'

const POLL_MS = 100

/** Cleanup functions, which run in this order before this process exits. */
const ends: (() => Promise<void>)[] = []

/** Starts the harness of `afresh.config.*` in the first folder that has one, and writes its handle or the problem. */
async function start(directory: string, runner: string, folders: readonly string[]): Promise<void> {
  try {
    const { release } = await registerCleanup({ kind: 'folder', path: directory })
    ends.unshift(release)
    removeAbandoned(directory, runner)
    const { options, inputs } = await findConfig(folders)
    const { harness, handle } = await withProgressFile(directory, options, async (given) => {
      const run = await startRun({ options: given, inputs }, directory)
      ends.unshift(run.close)
      return run.served
    })
    writeState(directory, {
      pid: process.pid,
      title: harness.title,
      warnings: harness.warnings,
      handle,
      hasSummary: options.progress !== false,
    })
  } catch (error) {
    const code = error instanceof AfreshError ? error.code : 'server'
    writeState(directory, { problem: { code, message: messageOf(error) } })
  }
}

const WRITE_MS = 200

/** This process has no output: the process that waits for it prints what is going on. */
async function withProgressFile<T>(
  directory: string,
  options: HarnessOptions,
  work: (options: HarnessOptions) => Promise<T>,
): Promise<T> {
  if (options.progress !== undefined) return work(options)
  let latest: ProgressEvent | undefined
  const timer = setInterval(() => {
    if (latest !== undefined) writeProgress(directory, latest)
    latest = undefined
  }, WRITE_MS)
  const progress = (event: ProgressEvent) => {
    if (event.phase !== 'notice') latest = event
  }
  try {
    return await work({ ...options, progress })
  } finally {
    clearInterval(timer)
  }
}

process.title = 'afresh harness process'
const [directory = '', runner = '', ...folders] = process.argv.slice(2)
await start(directory, runner, folders)
while (isRunning(runner) && existsSync(directory)) await sleep(POLL_MS)
removeDirectory(directory)
for (const end of ends) await end()
