/** Projects of users, which install afresh from its tarball. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { chromiumPath } from '../support/chromium-path.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface Ran {
  readonly exitCode: number
  readonly stdout: string
  /** Standard output and error, without colours. */
  readonly output: string
}

/**
 * The folder in which a test run shares the tarball between its files; see `test/support/global-setup.ts`.
 */
const { AFRESH_TEST_PACK: shared } = process.env

/** A folder that the server's unprivileged user can enter. */
function newFolder(): string {
  // Beside the shared one: packages are hard links.
  const parent = shared === undefined ? temporaryFolder() : dirname(shared)
  const folder = mkdtempSync(join(parent, 'afresh-consumer-'))
  chmodSync(folder, 0o755)
  return folder
}

function run(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { cwd, env: { ...process.env, ...env }, maxBuffer: 2 ** 26, timeout: 600_000 }
    execFile(command, [...args], options, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ exitCode, stdout, output: stripVTControlCharacters(`${stdout}\n${stderr}`) })
    })
  })
}

async function npm(args: readonly string[], cwd: string): Promise<void> {
  const { exitCode, output } = await run('npm', args, cwd, {})
  if (exitCode !== 0) throw new Error(`npm ${args.join(' ')} failed:\n${output}`)
}

/** The tarball of the current sources; within a test run, of the sources at its first use. */
export async function pack(): Promise<string> {
  return (shared === undefined ? undefined : tarballIn(shared)) ?? packed()
}

/** Deletes the tarball, unless a test run shares it. */
export function unpack(tarball: string): void {
  if (shared === undefined) rmSync(dirname(tarball), { recursive: true, force: true })
}

function tarballIn(folder: string): string | undefined {
  const name = readdirSync(folder).find((file) => file.endsWith('.tgz'))
  return name === undefined ? undefined : join(folder, name)
}

async function packed(): Promise<string> {
  const folder = newFolder()
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'))
  cpSync(join(ROOT, 'fixtures/demo'), join(folder, 'fixtures/demo'), { recursive: true })
  const out = join(folder, 'dist')
  const built = await run(
    join(ROOT, 'node_modules/.bin/tsdown'),
    ['--log-level', 'warn', '--out-dir', out],
    ROOT,
    {},
  )
  if (built.exitCode !== 0) throw new Error(`the build failed:\n${built.output}`)
  await npm(['pack', '--ignore-scripts'], folder)
  const tarball = tarballIn(folder)
  if (tarball === undefined) throw new Error('npm pack made no tarball')
  if (shared === undefined) return tarball
  const kept = join(shared, basename(tarball))
  // Another worker may be looking for the tarball, so the final name appears only with the complete file.
  const part = `${kept}.${process.pid}`
  cpSync(tarball, part)
  renameSync(part, kept)
  rmSync(folder, { recursive: true })
  return kept
}

/** The lines with which afresh names the server and its warnings: not those of progress, nor the summary. */
export function announced(output: string): string[] {
  const all = output.match(/^(?:# )?afresh: .*$/gm) ?? []
  return all.filter((line) => !/ …$|: template (?:built|kept), ready in | in afresh \(\d+ %\)$/.test(line))
}

const QUICKLY = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund']

/**
 * Several files of a test run need the same packages: later ones get hard links. No test writes to an
 * installed package.
 */
async function installOnce(key: string, folder: string, install: () => Promise<void>): Promise<void> {
  if (shared === undefined || process.platform !== 'linux') return install()
  const kept = join(shared, createHash('sha256').update(key).digest('hex').slice(0, 16))
  if (existsSync(kept)) return copyInstalled(kept, folder)
  await install()
  const part = mkdtempSync(join(shared, 'part-'))
  await copyInstalled(folder, part)
  try {
    renameSync(part, kept)
  } catch {
    rmSync(part, { recursive: true }) // another worker was faster
  }
}

async function copyInstalled(from: string, to: string): Promise<void> {
  const { exitCode, output } = await run('cp', ['-al', join(from, 'node_modules'), to], to, {})
  if (exitCode !== 0) throw new Error(output)
  // npm writes to these files.
  for (const name of ['package.json', 'package-lock.json', 'node_modules/.package-lock.json']) {
    rmSync(join(to, name), { force: true })
    if (existsSync(join(from, name))) cpSync(join(from, name), join(to, name))
  }
}

/** A copy of a project in `test/consumers`, with afresh from the tarball. */
export class Consumer {
  readonly folder: string
  /** Its own temporary folder. */
  readonly #temporary: string
  #node = process.execPath

  private constructor() {
    const folder = newFolder()
    this.folder = join(folder, 'project')
    this.#temporary = join(folder, 'tmp')
    mkdirSync(this.#temporary)
  }

  /** @param packages additional packages, or other versions */
  static async install(name: string, tarball: string, packages: readonly string[] = []): Promise<Consumer> {
    const consumer = Consumer.#from(join(ROOT, 'test/consumers', name))
    await installOnce([name, tarball, ...packages].join(' '), consumer.folder, () =>
      npm(['install', ...QUICKLY, tarball, ...packages], consumer.folder),
    )
    return consumer
  }

  /** Makes the project run on this major version of Node. Its packages have no install scripts. */
  async onNode(major: number): Promise<this> {
    const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
    await npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${major}`], this.folder)
    this.#node = join(this.folder, 'node_modules', name, 'bin/node')
    return this
  }

  /** A new project with these packages. */
  static async empty(packages: readonly string[]): Promise<Consumer> {
    const consumer = new Consumer()
    mkdirSync(consumer.folder)
    await npm(['install', '--prefer-offline', '--ignore-scripts', '--save-dev', ...packages], consumer.folder)
    return consumer
  }

  /** A new project that shares the installed packages. */
  copy(): Consumer {
    const consumer = Consumer.#from(this.folder)
    symlinkSync(join(this.folder, 'node_modules'), join(consumer.folder, 'node_modules'), 'junction')
    return consumer
  }

  static #from(folder: string): Consumer {
    const consumer = new Consumer()
    const filter = (path: string) => basename(path) !== 'node_modules'
    cpSync(folder, consumer.folder, { recursive: true, filter })
    return consumer
  }

  /** Runs a file, or the program of an installed package, on the Node of the project. */
  node(file: string, args: readonly string[] = [], env: Record<string, string> = {}): Promise<Ran> {
    return run(this.#node, [file, ...args], this.folder, {
      ...environment(),
      TMPDIR: this.#temporary,
      ...env,
    })
  }

  /** Runs an installed program that is none of Node. */
  program(path: string, args: readonly string[]): Promise<Ran> {
    const env = { ...environment(), TMPDIR: this.#temporary }
    return run(join(this.folder, 'node_modules', path), args, this.folder, env)
  }

  /** Runs a script of package.json. */
  npmRun(script: string): Promise<Ran> {
    const path = `${join(this.folder, 'node_modules/.bin')}:${process.env.PATH}`
    return run('npm', ['run', script], this.folder, { ...environment(), PATH: path, TMPDIR: this.#temporary })
  }

  afresh(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
    return this.node('node_modules/.bin/afresh', args, env)
  }

  vitest(env: Record<string, string> = {}, args: readonly string[] = []): Promise<Ran> {
    return this.node('node_modules/vitest/vitest.mjs', ['run', ...args], env)
  }

  /** Runs a variant of `variants/vitest.config.ts`. */
  variant(name: string, env: Record<string, string> = {}): Promise<Ran> {
    return this.node('node_modules/vitest/vitest.mjs', ['run', '--config', 'variants/vitest.config.ts'], {
      AFRESH_CONSUMER_VARIANT: name,
      ...env,
    })
  }

  jest(args: readonly string[] = [], env: Record<string, string> = {}): Promise<Ran> {
    return this.node('--experimental-vm-modules', ['node_modules/jest/bin/jest.js', ...args], env)
  }

  /** Runs a variant of `variants/jest.config.js`. */
  jestVariant(name: string, env: Record<string, string> = {}): Promise<Ran> {
    return this.jest(['--config', 'variants/jest.config.js'], { ...env, AFRESH_CONSUMER_VARIANT: name })
  }

  playwright(env: Record<string, string> = {}, args: readonly string[] = []): Promise<Ran> {
    const given = { CHROMIUM: chromiumPath() ?? '', ...env }
    return this.node('node_modules/@playwright/test/cli.js', ['test', ...args], given)
  }

  /** The files that afresh, or Node because of it, left in the temporary folder. */
  leftovers(): string[] {
    return readdirSync(this.#temporary).filter((name) => /^(afresh|node-coverage)-/.test(name))
  }

  remove(): void {
    rmSync(join(this.folder, '..'), { recursive: true, force: true })
  }
}

/** Unsets the variables that vitest, which runs this test, has set for its own workers. */
function environment(): NodeJS.ProcessEnv {
  const own = Object.keys(process.env).filter((name) =>
    /^(VITEST|TEST$|NODE_ENV$|MODE$|DEV$|PROD$)/.test(name),
  )
  return { ...Object.fromEntries(own.map((name) => [name, undefined])), NO_COLOR: '1' }
}
