import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AfreshError, codeOf } from '../../errors.ts'
import type { HarnessHandle } from '../../harness/handle.ts'

/** What the keeper of a run tells the test processes. */
export type Kept = { readonly keeper: number } & (
  | { readonly handle: HarnessHandle }
  | { readonly problem: string }
)

const LOOK_MS = 20

/**
 * The harness of this run of `node --test`: joins it, or is the first and starts its keeper.
 *
 * @param folder of the configuration
 * @param program the path of the keeper's
 * @throws AfreshError `usage` naming what is wrong with the configuration, the server or the migrations
 */
export async function keptHarness(folder: string, program: string): Promise<HarnessHandle> {
  const run = createHash('sha256').update(`${folder} ${process.ppid}`).digest('hex').slice(0, 16)
  const file = join(tmpdir(), `afresh-node-test-${run}`)
  let keeper: number | undefined
  for (;;) {
    const kept = keptOf(file)
    if (kept !== undefined) {
      if ('problem' in kept) throw new AfreshError('usage', kept.problem)
      return kept.handle
    }
    if (keeper !== undefined && !isAlive(keeper)) throw keeperGone()
    if (claim(lockOf(file))) keeper = startKeeper(program, [file, folder, String(process.ppid)])
    await sleep(LOOK_MS)
  }
}

function keeperGone(): AfreshError {
  return new AfreshError('server', 'The process that was to keep the server of this run has ended at once.', {
    next: 'Run one test file by itself to see why: node --import afresh/node-test FILE',
  })
}

export function lockOf(file: string): string {
  return `${file}.lock`
}

/** What the keeper told; not one that has ended, of another run by a process of the same number. */
function keptOf(file: string): Kept | undefined {
  const text = read(file)
  if (text === undefined) return undefined
  const kept = JSON.parse(text) as Kept
  if (isAlive(kept.keeper)) return kept
  rmSync(file, { force: true })
  return undefined
}

/** The lock names whoever holds it: the test process that starts the keeper, until the keeper has it. */
function claim(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
  const holder = Number(read(lock))
  // Empty for a moment, before its holder has written its number.
  if (holder > 0 && !isAlive(holder)) rmSync(lock, { force: true })
  return false
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function startKeeper(program: string, [file, ...args]: readonly [string, ...string[]]): number {
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env
  const options = { env, detached: true, stdio: 'ignore' } as const
  const keeper = spawn(process.execPath, [program, file, ...args], options)
  keeper.unref()
  const { pid } = keeper
  if (pid === undefined) throw keeperGone()
  writeFileSync(lockOf(file), String(pid))
  return pid
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}
