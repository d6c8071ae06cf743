import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { processesWithDataIn } from '../../src/server/cleanup-process.ts'
import { until } from './child.ts'

const folder = mkdtempSync(join(tmpdir(), 'afresh-test-'))
const children: ChildProcess[] = []
afterEach(() => {
  vi.restoreAllMocks()
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

function run(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', '--', ...args], {
    stdio: 'ignore',
  })
  children.push(child)
  return child
}

// Linux has both ways to list processes: /proc, and `ps` as on macOS.
it.each(['linux', 'darwin'] as const)(
  'finds the processes with data in a folder, on %s',
  async (platform) => {
    vi.spyOn(process, 'platform', 'get').mockReturnValue(platform)
    const server = run('-D', join(folder, 'data'))
    run('tail', join(folder, 'log')) // another program reads in the folder: not to be killed
    run('-D', '/elsewhere')
    await until(() => processesWithDataIn(folder).length > 0, 10_000)
    expect(processesWithDataIn(folder)).toEqual([server.pid])
  },
)
