/**
 * A separate process that owns the harness of a run. It ends when the process that runs the tests has
 * exited, for whatever reason, or when the run directory is removed. Node loads `--import` into test
 * processes only, so no code of afresh runs at the start and end of a run.
 */
import { existsSync } from 'node:fs'
import { AfreshError, messageOf } from '../../errors.ts'
import { createHarness } from '../../harness/harness.ts'
import { registerCleanup } from '../../server/cleanup.ts'
import { sleep } from '../../util/clock.ts'
import { isRunning } from '../../util/process-identity.ts'
import { handleWithService } from '../core/service/harness-service.ts'
import { findConfig } from '../core/shared-harness.ts'
import { removeAbandoned, removeDirectory, writeState } from './run-directory.ts'

const LOOK_MS = 100

/** Cleanup functions, which run in this order before this process exits. */
const ends: (() => Promise<void>)[] = []

/** Starts the harness of `afresh.config.*` in the current folder, and writes its handle or the problem. */
async function start(directory: string, runner: string): Promise<void> {
  try {
    ends.unshift(await registerCleanup({ kind: 'folder', path: directory }))
    removeAbandoned(directory, runner)
    const { options } = await findConfig([process.cwd()])
    const harness = await createHarness(options)
    ends.unshift(() => harness.close())
    const served = await handleWithService(harness, directory)
    ends.unshift(() => served.close())
    writeState(directory, {
      pid: process.pid,
      title: [harness.title, ...harness.warnings].join('\nafresh: '),
      handle: served.handle,
    })
  } catch (error) {
    const code = error instanceof AfreshError ? error.code : 'server'
    writeState(directory, { problem: { code, message: messageOf(error) } })
  }
}

process.title = 'afresh harness process'
const [directory = '', runner = ''] = process.argv.slice(2)
await start(directory, runner)
while (isRunning(runner) && existsSync(directory)) await sleep(LOOK_MS)
removeDirectory(directory)
for (const end of ends) await end()
