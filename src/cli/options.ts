import { type Command, InvalidArgumentError, Option } from 'commander'
import { loadConfig } from '../config/file.ts'
import type { AttachOptions } from '../config/options.ts'
import type { SequenceMode, Strategy } from '../plan/plan.ts'
import type { Output } from './output.ts'

/** The options for how a database is reset. */
export interface ResetFlags {
  readonly strategy?: Strategy
  readonly sequences?: SequenceMode
  readonly keep?: readonly string[]
}

export function withUrl(command: Command): Command {
  return command.requiredOption(
    '--url <url>',
    'the database: postgres://…, mysql://…, mariadb://… or sqlite:FILE',
  )
}

export function withConfig(command: Command): Command {
  return command.option(
    '--config <path>',
    'the configuration file, or the folder that has it (default: the current folder)',
  )
}

export function withResetFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--strategy <how>', 'how rows are removed (default: auto, by size)').choices([
        'auto',
        'delete',
        'truncate',
      ]),
    )
    .addOption(
      new Option('--sequences <mode>', 'how sequences are reset (default: restart)').choices([
        'restart',
        'keep',
        'spread',
      ]),
    )
    .option('--keep <tables>', 'names or globs of tables to leave unchanged, separated by commas', collect)
}

/** Can be given repeatedly. A comma within braces is part of a glob. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  const names = value.split(/,(?![^{]*\})/).map((name) => name.trim())
  return [...before, ...names.filter((name) => name !== '')]
}

/** Parses an integer that is at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number >= least) return number
    throw new InvalidArgumentError(`It must be a whole number from ${least} on.`)
  }
}

/** Options from the flags; the rest from the project's configuration file. */
export async function attachOptions(flags: ResetFlags, output: Output): Promise<AttachOptions> {
  const { path, options } = await loadConfig(process.cwd())
  if (path !== undefined) output.progress(`options from ${path}`)
  const given = { ...options, ...defined(flags) }
  const { strategy, sequences, keep, lockTimeoutMs, allow } = given
  return defined({ strategy, sequences, keep, lockTimeoutMs, allow })
}

export function defined<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
