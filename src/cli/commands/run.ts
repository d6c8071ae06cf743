import { constants } from 'node:os'
import { AfreshError, codeOf, messageOf } from '../../errors.ts'
import { type Ending, isCommand, runWithDatabases } from '../../runner/command/run-command.ts'
import { isPassedOn } from '../../runner/command/signals.ts'
import { findConfig } from '../../runner/core/load-config.ts'
import { sleep } from '../../util/clock.ts'
import { defineCommand } from '../command.ts'
import { wholeNumber, withConfig } from '../options.ts'
import { openApiDocument } from '../package-root.ts'

interface RunFlags {
  readonly workers?: number
  readonly config?: string
  readonly json?: boolean
}

/** As shells have them. https://www.gnu.org/software/bash/manual/html_node/Exit-Status.html */
const NOT_EXECUTABLE = 126
const NOT_FOUND = 127
const KILLED = 128

export const runCommand = defineCommand<RunFlags>({
  notes: `
Starts what afresh.config.* says, makes the databases, and runs the command with DATABASE_URL, PG* or MYSQL_*, and the
names of the option env: they lead to the first database. AFRESH_URL_1 to AFRESH_URL_n are the URLs of all of them, and
AFRESH_WORKERS is n. AFRESH_SERVER and AFRESH_TOKEN lead to the service of \`afresh serve\`, for resets. Signals go to the command, and its exit code is that of afresh. Then the databases are dropped.
What afresh says itself goes to standard error.

  afresh run -- npm test
  afresh run --workers 4 -- pytest -n 4
  afresh run --config test -- go test -p 1 ./...`,
  options: (command) =>
    withConfig(command)
      .argument('<command>', 'the program to run, after --')
      .argument('[arguments...]', 'its arguments')
      .option('--workers <n>', 'how many databases to make (default: 1)', wholeNumber(1)),

  async run({ workers = 1, config, json }, _output, [command = '', ...args]) {
    if (json === true) {
      throw new AfreshError('usage', '--json belongs to commands that print a result.', {
        next: 'Leave it out: standard output is that of the command.',
      })
    }
    if (!isCommand(command)) return notRun(command, 'it was not found', NOT_FOUND)
    const found = await findConfig([config ?? process.cwd()])
    try {
      return await codeFor(
        await runWithDatabases(found, { command, args, workers, describe: openApiDocument }),
      )
    } catch (error) {
      if (!isSpawnError(error)) throw error
      const code = codeOf(error) === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE
      return notRun(command, messageOf(error), code)
    }
  },
})

function notRun(command: string, why: string, code: number): number {
  const next = 'Write the program and its arguments after --, as in a shell.'
  process.stderr.write(`The command ${JSON.stringify(command)} cannot be run: ${why}.\n  → ${next}\n`)
  return code
}

function isSpawnError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && String(error.syscall).startsWith('spawn')
}

/** Shells and build tools stop at Ctrl-C only if the program was ended by the signal itself. */
async function codeFor(ending: Ending): Promise<number> {
  if ('code' in ending) return ending.code
  if (isPassedOn(ending.signal)) {
    process.kill(process.pid, ending.signal)
    await sleep(1_000)
  }
  return KILLED + constants.signals[ending.signal]
}
