import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { withFileLock } from '../../src/util/file-lock.ts'
import { identityOf } from '../../src/util/process-identity.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'afresh-lock-'))
  path = join(folder, 'lock')
})

afterEach(() => rmSync(folder, { recursive: true }))

it('runs one at a time, and says so to those that wait', async () => {
  let running = 0
  let waited = 0
  const work = async () => {
    expect(++running).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 5))
    running--
    return 'done'
  }
  const calls = Array.from({ length: 4 }, () =>
    withFileLock(path, work, { timeoutMs: 60_000, onWait: () => waited++ }),
  )
  expect(await Promise.all(calls)).toEqual(['done', 'done', 'done', 'done'])
  expect(waited).toBe(3)
  expect(readdirSync(folder)).toEqual([])
})

it('is released when the work fails', async () => {
  await expect(
    withFileLock(path, () => Promise.reject(new Error('no')), { timeoutMs: 60_000 }),
  ).rejects.toThrow('no')
  expect(existsSync(path)).toBe(false)
})

it('takes over the lock of a process that has ended, but not that of a running one', async () => {
  writeFileSync(path, `${2 ** 22 + 1}-1`)
  expect(await withFileLock(path, async () => 'taken over', { timeoutMs: 60_000 })).toBe('taken over')
  writeFileSync(path, identityOf(process.ppid) ?? '')
  const events: string[] = []
  const waiting = withFileLock(path, async () => events.push('work'), {
    timeoutMs: 60_000,
    onWait: () => events.push('wait'),
  })
  await new Promise((resolve) => setTimeout(resolve, 120))
  expect(events).toEqual(['wait'])
  rmSync(path)
  await waiting
  expect(events).toEqual(['wait', 'work'])
})

it('does not wait for ever, and names the process that holds it', async () => {
  writeFileSync(path, identityOf(process.ppid) ?? '')
  const waiting = withFileLock(path, async () => 'never', { timeoutMs: 100 })
  await expect(waiting).rejects.toThrow(`Process ${process.ppid} has held ${path} for more than 0.1 s.`)
  expect(existsSync(path)).toBe(true)
})
