/**
 * A process of its own that keeps the harness of a run until the process that runs the tests has ended, in
 * whatever way, or the place is cleared. Node loads `--import` into test processes only, so that none of our code
 * sees beginning and end of a run.
 */
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { AfreshError, messageOf } from '../../errors.ts'
import { createHarness, type Harness } from '../../harness/harness.ts'
import { takeCustody } from '../../server/custody.ts'
import { findConfig } from '../shared.ts'
import { clear, clearOthers, identityOf, tell } from './place.ts'

const LOOK_MS = 100

/** Starts the harness of `afresh.config.*` in the current folder, and tells of it, or why there is none. */
async function start(place: string): Promise<Harness | undefined> {
  try {
    const { options } = await findConfig([process.cwd()])
    const harness = await createHarness(options)
    tell(place, { keeper: process.pid, title: harness.title, handle: harness.handle })
    return harness
  } catch (error) {
    const code = error instanceof AfreshError ? error.code : 'server'
    tell(place, { problem: { code, message: messageOf(error) } })
    return undefined
  }
}

process.title = 'afresh keeper'
const [place = '', pid = ''] = process.argv.slice(2)
const runner = Number(pid)
const identity = identityOf(runner)
const endCustody = await takeCustody({ kind: 'folder', path: place })
clearOthers(place, runner)
const harness = await start(place)
while (identity !== undefined && identityOf(runner) === identity && existsSync(place)) await sleep(LOOK_MS)
clear(place)
await harness?.close()
await endCustody()
