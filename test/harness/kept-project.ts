/** A project with a cache of its own, and processes that start it on embedded PostgreSQL. */
import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach } from 'vitest'

const SOURCES = fileURLToPath(new URL('../../src', import.meta.url))
const CHILD = fileURLToPath(new URL('kept-baseline-child.mjs', import.meta.url))

interface Started {
  readonly child: ChildProcess
  said(): string
  /** All that it said. */
  readonly ended: Promise<string>
}

/**
 * Makes the project anew before each test.
 *
 * @param files those that it has, by their paths in `folder`
 */
export function keptProject(files: (folder: string) => Readonly<Record<string, string>>) {
  let folder = ''
  const cache = () => join(folder, 'cache')
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'afresh-kept-'))
    // The account that PostgreSQL runs as appends to `runs`.
    chmodSync(folder, 0o777)
    for (const [name, text] of Object.entries(files(folder))) write(name, text)
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  const lines = () =>
    existsSync(join(folder, 'runs')) ? readFileSync(join(folder, 'runs'), 'utf8').trim().split('\n') : []
  return {
    folder: () => folder,
    cache,
    write,
    /** The clusters in the cache. */
    kept: () =>
      readdirSync(cache()).filter((name) => name.startsWith('prepared-') && !name.includes('.lock')),
    /** What migrations have appended to the file `runs`. */
    lines,
    runs: () => lines().length,
    start(): Started {
      const child = spawn(process.execPath, [CHILD, SOURCES, folder], {
        env: { ...process.env, AFRESH_CACHE_DIR: cache() },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let text = ''
      child.stdout?.on('data', (data) => {
        text += data
      })
      const ended = new Promise<string>((resolve) => child.once('close', () => resolve(text)))
      return { child, said: () => text, ended }
    },
    /** In this process, until it is disposed of. */
    withCache(): AsyncDisposable {
      const before = process.env.AFRESH_CACHE_DIR
      process.env.AFRESH_CACHE_DIR = cache()
      return {
        async [Symbol.asyncDispose]() {
          if (before === undefined) delete process.env.AFRESH_CACHE_DIR
          else process.env.AFRESH_CACHE_DIR = before
        },
      }
    },
  }
}
