import type { Command } from 'commander'
import type { Output } from './output.ts'

/** A command of `afresh`. */
export interface CliCommand {
  /** Adds it to the program; `act` runs its body with an output and notes the exit code. */
  addTo(program: Command, act: (body: (output: Output) => Promise<number>) => Promise<void>): void
}

export interface CommandParts<Flags> {
  readonly name: string
  readonly summary: string
  /** Printed by `--help` below the options. */
  readonly notes: string
  readonly options: (command: Command) => Command
  /** Returns the exit code. `args`: what stands there without a flag. */
  readonly run: (flags: Flags, output: Output, args: readonly string[]) => Promise<number>
}

/** @typeParam Flags what commander makes of the options */
export function defineCommand<Flags>(parts: CommandParts<Flags>): CliCommand {
  return {
    addTo(program, act) {
      parts
        .options(program.command(parts.name).description(parts.summary))
        .option('--json', 'print one JSON document on stdout; progress goes to stderr')
        .option('--debug', 'print the stack of an error')
        .helpOption('-h, --help', 'print this help')
        .addHelpText('after', `\n${parts.notes.trim()}`)
        .action((...given: unknown[]) => {
          const command = given.at(-1) as Command
          return act((output) => parts.run(command.opts() as Flags, output, command.args))
        })
    },
  }
}
