import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { build } from 'tsup'

const ROOT = join(import.meta.dirname, '..', '..')
/** Each worker builds one for itself. */
const OUT = join(ROOT, 'node_modules', '.cache', `afresh-cli-test-${process.env.VITEST_POOL_ID}`)

/** The bundled program, once `builtCli` has been called. */
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

/** Bundles the command line as the package does, to a folder of its own. Runs `afresh` from it as a child process. */
export async function builtCli(): Promise<
  (args: readonly string[], options?: CliOptions) => Promise<CliResult>
> {
  const options = { config: false, outDir: OUT, silent: true } as const
  await build({
    ...options,
    entry: { 'cli/main': join(ROOT, 'src', 'cli', 'main.ts') },
    format: 'esm',
    target: 'node20',
    external: ['esbuild'],
    clean: true,
  })
  await build({
    ...options,
    entry: { 'bench/report-client': join(ROOT, 'src', 'bench', 'report', 'client', 'main.ts') },
    format: 'iife',
    platform: 'browser',
    outExtension: () => ({ js: '.js' }),
  })
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
