import type { Command } from 'commander'
import type { Output } from './output.ts'

/** A command of `afresh`. */
export interface CliCommand {
  /** Adds options and the action. `act` runs the body with an output and records the exit code. */
  define(command: Command, act: (body: (output: Output) => Promise<number>) => Promise<void>): void
}

export interface CommandParts<Flags> {
  /** Printed by `--help` below the options. */
  readonly notes: string
  readonly options: (command: Command) => Command
  /** Returns the exit code. `args`: the positional arguments. */
  readonly run: (flags: Flags, output: Output, args: readonly string[]) => Promise<number>
}

/** @typeParam Flags what commander parses from the options */
export function defineCommand<Flags>(parts: CommandParts<Flags>): CliCommand {
  return {
    define(command, act) {
      withCommonOptions(parts.options(command))
        .helpOption('-h, --help', 'print this help')
        .addHelpText('after', `\n${parts.notes.trim()}`)
        .action((...given: unknown[]) => {
          const parsed = given.at(-1) as Command
          return act((output) => parts.run(parsed.opts() as Flags, output, parsed.args))
        })
    },
  }
}

/** Adds the options that all commands share. */
export function withCommonOptions(command: Command): Command {
  return command
    .option('--json', 'print one JSON document on stdout, and nothing else there')
    .option('--debug', 'print the stack of an error')
}
