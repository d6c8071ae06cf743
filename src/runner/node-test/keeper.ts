/**
 * A process of its own that keeps the harness of a run until the process that runs the tests has ended, in
 * whatever way, or the place is cleared. Node loads `--import` into test processes only, so that none of our code
 * sees beginning and end of a run.
 */
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { AfreshError, messageOf } from '../../errors.ts'
import { createHarness } from '../../harness/harness.ts'
import { takeCustody } from '../../server/custody.ts'
import { findConfig } from '../shared.ts'
import { clear, clearOthers, isRunning, tell } from './place.ts'

const LOOK_MS = 100

/** What is to be ended before this process, in this order. */
const ends: (() => Promise<void>)[] = []

/** Starts the harness of `afresh.config.*` in the current folder, and tells of it, or why there is none. */
async function start(place: string, runner: string): Promise<void> {
  try {
    ends.unshift(await takeCustody({ kind: 'folder', path: place }))
    clearOthers(place, runner)
    const { options } = await findConfig([process.cwd()])
    const harness = await createHarness(options)
    ends.unshift(() => harness.close())
    tell(place, { keeper: process.pid, title: harness.title, handle: harness.handle })
  } catch (error) {
    const code = error instanceof AfreshError ? error.code : 'server'
    tell(place, { problem: { code, message: messageOf(error) } })
  }
}

process.title = 'afresh keeper'
const [place = '', runner = ''] = process.argv.slice(2)
await start(place, runner)
while (isRunning(runner) && existsSync(place)) await sleep(LOOK_MS)
clear(place)
for (const end of ends) await end()
