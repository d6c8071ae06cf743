/**
 * The process that keeps the server of a run of `node --test`: node tells its test processes nothing before they start,
 * and loads `--import` in them only. The first of them starts it, and it ends when node's own process is gone.
 *
 * Arguments: the file for the handle, the folder of the configuration, the process to wait for.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../errors.ts'
import type { HarnessHandle } from '../../harness/handle.ts'
import { findConfig, share } from '../shared.ts'
import { isAlive, type Kept, lockOf } from './keep.ts'

const LOOK_MS = 200

const [file = '', folder = '', parent = ''] = process.argv.slice(2)
const node = Number(parent)

/** Whoever reads it finds it whole. It holds the server's password. */
function tell(what: { readonly handle: HarnessHandle } | { readonly problem: string }): void {
  const kept: Kept = { keeper: process.pid, ...what }
  writeFileSync(`${file}.new`, JSON.stringify(kept), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

async function runEnds(): Promise<void> {
  while (isAlive(node)) await sleep(LOOK_MS)
}

async function keep(): Promise<void> {
  const held = await share(await findConfig([folder]), () => {})
  try {
    tell({ handle: held.harness.handle })
    await runEnds()
  } finally {
    await held.release()
  }
}

try {
  await keep()
} catch (error) {
  tell({ problem: messageOf(error) })
  await runEnds()
} finally {
  for (const one of [file, lockOf(file)]) rmSync(one, { force: true })
}
