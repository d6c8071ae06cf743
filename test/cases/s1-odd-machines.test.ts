import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Event } from '../server/child.ts'
import { describeOn } from '../support/servers.ts'
import { transpiledFolder } from '../support/transpiled.ts'

const SOURCES = fileURLToPath(new URL('../../src', import.meta.url))
const SCRIPT = fileURLToPath(new URL('../server/child.mjs', import.meta.url))
const SPEC = JSON.stringify({ kind: 'embedded', settings: {} })
const NOBODY = 65_534

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'afresh-s1-'))
  chmodSync(folder, 0o755)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Starts an embedded server in a separate process, and returns the outcome. */
function start(environment: Record<string, string | undefined>, uid?: number, cwd = '/'): Event {
  const { stdout, stderr } = spawnSync(process.execPath, [SCRIPT, SOURCES, SPEC, 'stop'], {
    cwd,
    encoding: 'utf8',
    timeout: 100_000,
    env: { PATH: process.env.PATH, TRANSPILED: transpiledFolder(), ...environment },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  })
  const events: Event[] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line || '{}'))
  const last = events.at(-1)
  if (last === undefined || last.starting) throw new Error(`it said nothing: ${stderr}`)
  return last
}

/** A world-writable folder. */
function open(name: string): string {
  mkdirSync(join(folder, name))
  chmodSync(join(folder, name), 0o1777)
  return join(folder, name)
}

describeOn('embedded:18', () => {
  const isRoot = process.getuid?.() === 0

  it.runIf(isRoot).each([
    ['unset', undefined],
    ['/', '/'],
    ['one that is not there', '/nonexistent/home'],
    ['one that may not be written to', '/proc'],
  ])('HOME %s: the cache is in the temporary directory', (_, HOME) => {
    expect(start({ HOME, TMPDIR: open('tmp') }, NOBODY).url).toMatch(/^postgres:/)
  })

  it.runIf(isRoot)('a user without an entry in /etc/passwd: the error says that PostgreSQL needs one', () => {
    const { code, message } = start({ HOME: undefined, TMPDIR: open('tmp') }, 12_345)
    expect({ code, message }).toMatchObject({ code: 'server' })
    expect(message).toMatch(/This user \(12345\) has no entry in \/etc\/passwd/)
  })

  it.runIf(isRoot)('root, with files in a folder that other users cannot enter', () => {
    const closed = join(folder, 'closed')
    mkdirSync(closed, { mode: 0o700 })
    const cache = start({ HOME: '/root', AFRESH_CACHE_DIR: join(closed, 'cache') })
    expect(cache.message).toContain(`${closed} is closed to the user`)
    expect(cache.message).toContain('Set AFRESH_CACHE_DIR')
    mkdirSync(join(closed, 'tmp'), { mode: 0o755 })
    const temporary = start({ HOME: '/root', TMPDIR: join(closed, 'tmp') })
    expect(temporary.message).toContain('Set TMPDIR')
  })

  it.runIf(isRoot)('a /dev/shm of 1 MiB, with an empty cache', () => {
    const script = `mount -t tmpfs -o size=1m tmpfs /dev/shm && exec "${process.execPath}" "${SCRIPT}" "${SOURCES}" '${SPEC}' stop`
    const { stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', script], {
      cwd: '/',
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        HOME: '/root',
        TRANSPILED: transpiledFolder(),
        AFRESH_CACHE_DIR: join(folder, 'cache'),
        TMPDIR: open('tmp'),
      },
    })
    expect(stdout, stderr).toContain('"url":"postgres:')
  })

  it('relative paths are those of the working directory', () => {
    const cwd = open('here')
    mkdirSync(join(cwd, 'tmp'))
    chmodSync(join(cwd, 'tmp'), 0o1777)
    const environment = { HOME: process.env.HOME, TMPDIR: 'tmp', AFRESH_CACHE_DIR: 'cache' }
    expect(start(environment, undefined, cwd).url).toMatch(/^postgres:/)
    expect(readdirSync(join(cwd, 'cache'))).not.toEqual([])
  })

  it.runIf(isRoot).each([
    ['TMPDIR', '8m', 'is full'],
    ['AFRESH_CACHE_DIR', '8m', 'is full|takes no more files|No space left'],
  ])('a %s of %s is an error that names the folder', (variable, size, why) => {
    const full = open('full')
    const script = `mount -t tmpfs -o size=${size},mode=1777 tmpfs "${full}" && exec "${process.execPath}" "${SCRIPT}" "${SOURCES}" '${SPEC}' stop`
    const { stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', script], {
      cwd: '/',
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        HOME: '/root',
        TRANSPILED: transpiledFolder(),
        TMPDIR: open('tmp'),
        AFRESH_CACHE_DIR: join(folder, 'cache'),
        [variable]: variable === 'TMPDIR' ? full : join(full, 'cache'),
      },
    })
    const last: Event = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}')
    expect(last, stderr).toMatchObject({ code: 'server', message: expect.stringContaining(full) })
    expect(last.message).toMatch(new RegExp(`(${why})[\\s\\S]*${variable}`))
  })

  it('a TMPDIR that does not exist', () => {
    const { code, message } = start({ HOME: process.env.HOME, TMPDIR: join(folder, 'missing') })
    expect({ code, message }).toMatchObject({ code: 'server' })
    expect(message).toMatch(/The folder for temporary files, .*missing, cannot be used[\s\S]*set TMPDIR/)
  })

  it('a cache under /proc is an error, and does not hang', () => {
    const { message } = start({
      HOME: process.env.HOME,
      AFRESH_CACHE_DIR: '/proc/afresh/cache',
      TMPDIR: open('tmp'),
    })
    expect(message).toMatch(/\/proc\/afresh\/cache cannot be made[\s\S]*Set AFRESH_CACHE_DIR/)
  })
})
