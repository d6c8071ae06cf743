import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'tsdown'
import { cliPrograms } from '../../tsdown.config.ts'

const ROOT = join(import.meta.dirname, '..', '..')
/** Each worker builds its own. Several worktrees may share a folder `node_modules`. */
const OUT = join(
  ROOT,
  'node_modules',
  '.cache',
  `afresh-cli-test-${createHash('sha256').update(ROOT).digest('hex').slice(0, 8)}-${process.env.VITEST_POOL_ID}`,
)

/** The bundled program, after a call of `builtCli`. */
export const CLI_MAIN = join(OUT, 'cli', 'main.js')

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/**
 * Bundles the command line as the package does, into a separate folder. The result runs `afresh` from it as a
 * child process.
 */
export async function builtCli(): Promise<
  (args: readonly string[], options?: CliOptions) => Promise<CliResult>
> {
  rmSync(OUT, { recursive: true, force: true })
  for (const options of cliPrograms) {
    await build({ ...options, config: false, outDir: OUT, logLevel: 'warn' })
  }
  return (args, { env = {}, cwd = ROOT } = {}) =>
    new Promise((resolve) => {
      const environment = { ...process.env, NODE_ENV: 'test', ...env }
      const child = execFile(
        process.execPath,
        [CLI_MAIN, ...args],
        { cwd, env: environment, maxBuffer: 1 << 26 },
        (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
      )
      child.stdin?.end()
    })
}

export interface RunningCli {
  readonly child: ChildProcessWithoutNullStreams
  /** So far. */
  readonly output: { stdout: string; stderr: string }
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
}

/** Starts `afresh` of `builtCli`, which must have been called, as a child process that a test talks to. */
export function startCli(
  args: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Readonly<Record<string, string | undefined>> },
): RunningCli {
  const child = spawn(process.execPath, [CLI_MAIN, ...args], {
    cwd,
    env: { ...process.env, NODE_ENV: 'test', ...env },
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk) => {
      output[name] += chunk
    })
  }
  const ended = new Promise<Awaited<RunningCli['ended']>>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  return { child, output, ended }
}
