/**
 * In: a configuration and a command.
 * Out: how the command ended, after its databases are gone.
 * Called by `cli/commands/run.ts`.
 */
import { spawn } from 'node:child_process'
import { messageOf } from '../../errors.ts'
import { inPath } from '../../util/find-program.ts'
import { isExecutable } from '../../util/is-executable.ts'
import type { LoadedConfig } from '../core/load-config.ts'
import { announce, printLines, withStartLine } from '../core/start-line.ts'
import { LOOPBACK } from '../serve/listen-address.ts'
import { serveDatabases } from '../serve/serve-databases.ts'
import { commandEnvironment } from './command-environment.ts'
import { relaySignals, type SignalRelay } from './signals.ts'

export type Ending = { readonly code: number } | { readonly signal: NodeJS.Signals }

export interface CommandRequest {
  readonly command: string
  readonly args: readonly string[]
  /** The number of databases. */
  readonly workers: number
  /** Reads the OpenAPI document of the service that the command can use. */
  describe(): unknown
}

/** Whether there is such a program, before anything is started for it. */
export function isCommand(command: string): boolean {
  return command.includes('/') ? isExecutable(command) : inPath(command) !== undefined
}

/**
 * Runs a command on the terminal of this process, with databases at the baseline. They are dropped when it has ended,
 * whatever became of it.
 *
 * @throws AfreshError as `createHarness` does; then the command was not started. An error of the system if the command
 *   cannot be run
 */
export async function runWithDatabases(config: LoadedConfig, request: CommandRequest): Promise<Ending> {
  const { options, inputs } = config
  const service = { listen: LOOPBACK, allowedHosts: [], describe: request.describe }
  const make = (given: LoadedConfig['options']) =>
    serveDatabases({ options: given, inputs }, { ...service, count: request.workers })
  const databases = await withStartLine(options, make, false)
  const relay = relaySignals(isOnTerminal())
  let ending: Ending | undefined
  try {
    announce(databases.harness)
    ending = await runChild(request, commandEnvironment(databases), relay)
    // From now on, Ctrl-C ends this process, should the cleanup take long.
    relay.end()
    if (options.progress !== false) printLines(databases.summary())
    return ending
  } finally {
    relay.end()
    // What the command says of itself counts more than a cleanup that failed.
    await databases.close().catch((error) => {
      if (ending === undefined || isSuccess(ending)) throw error
      printLines([`cleaning up failed: ${messageOf(error)}`])
    })
  }
}

async function runChild(
  { command, args }: CommandRequest,
  env: Record<string, string | undefined>,
  relay: SignalRelay,
): Promise<Ending> {
  if (relay.pending !== undefined) return { signal: relay.pending }
  const child = spawn(command, args, { stdio: 'inherit', env })
  relay.attach(child)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(signal === null ? { code: code ?? 0 } : { signal }))
  })
}

/** A person who presses Ctrl-C has a terminal, whatever some of the streams are connected to. */
function isOnTerminal(): boolean {
  return process.stdin.isTTY === true || process.stdout.isTTY === true || process.stderr.isTTY === true
}

function isSuccess(ending: Ending): boolean {
  return 'code' in ending && ending.code === 0
}
