/**
 * In: arguments.
 * Out: a command that runs, its text and its exit code.
 * Called by `main.ts`.
 */
import { Command, CommanderError } from 'commander'
import { withCommonOptions } from './command.ts'
import { COMMANDS } from './commands.ts'
import { EXIT, report } from './failure.ts'
import { outputFor } from './output.ts'
import { packageVersion } from './package-root.ts'

const HELP_WIDTH = 110

const NOTES = `
Begin with \`afresh init\` in a project, or with \`afresh demo\`: it needs no database and no configuration.
afresh.config.{ts,mts,js,mjs,cjs} sets options too; the command line overrides it.
Exit codes: 0 done, 1 it failed, 2 wrong usage, 3 refused by the guard.`

/** Parses the arguments and runs the command. Never throws; returns the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  const json = hasFlag(args, '--json')
  let exitCode: number = EXIT.done
  const program = new Command('afresh')
    .description('A real database in a known state for every test: a reset costs only what the test wrote.')
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', NOTES)
    // `report` prints errors, as text or JSON. Commands inherit these settings.
    .configureHelp({ helpWidth: HELP_WIDTH })
    .configureOutput({ outputError: () => {} })
    .exitOverride()
  for (const { name, summary, operands, load } of COMMANDS) {
    const command = program.command(name).description(summary)
    // Other commands are only listed, not loaded.
    if (!args.includes(name)) listAs(command, operands)
    else {
      const { define } = await load()
      define(command, async (body) => {
        exitCode = await body(outputFor({ json }))
      })
    }
  }
  try {
    if (args.length === 0) program.outputHelp()
    else await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done
    return report(error, { json, debug: hasFlag(args, '--debug') })
  }
}

function listAs(command: Command, operands: string | undefined): void {
  withCommonOptions(command)
  if (operands !== undefined) command.arguments(operands)
}

/** Checks the raw arguments, because errors in parsing them must be reported in the right format, too. */
function hasFlag(args: readonly string[], flag: string): boolean {
  const end = args.indexOf('--')
  return args.slice(0, end === -1 ? undefined : end).includes(flag)
}
