import { type Command, InvalidArgumentError, Option } from 'commander'
import type { EraseOptions } from '../erase/options.ts'
import { AfreshError } from '../errors.ts'
import { defined, wholeNumber } from './options.ts'
import type { Output } from './output.ts'

/** The options that `erase` and `purge` share. */
export interface EraseFlags {
  readonly url: string
  readonly cascade?: 'error' | 'follow' | 'declared'
  readonly onDelete?: Readonly<Record<string, NonNullable<EraseOptions['onDelete']>[string]>>
  readonly dryRun?: boolean
  readonly max?: number
  readonly batch?: number
  readonly archive?: boolean
}

export function withEraseFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--cascade <how>', 'what to do with rows that refer to those (default: error)').choices([
        'error',
        'follow',
        'declared',
      ]),
    )
    .option(
      '--on-delete <key=action>',
      'for one foreign key: orders.user_id=cascade, "set null", "set default" or restrict; repeatable',
      action,
    )
    .option(
      '--max <n>',
      'fail if more than this many rows would be deleted, in all tables together',
      wholeNumber(0),
    )
    .option('--batch <n>', 'delete this many rows a transaction; Ctrl-C stops between two', wholeNumber(1))
    .option('--archive', 'keep the rows in archive tables: orders_archive for orders')
    .option('--dry-run', 'run it and roll it back: shows the statements and exact numbers')
}

/** Calls `run` with the options. With batches, reports each one, and lets Ctrl-C stop between two. */
export async function withOptions<T>(
  flags: Omit<EraseFlags, 'url'>,
  output: Output,
  run: (options: EraseOptions) => Promise<T>,
): Promise<T> {
  const { cascade, onDelete, dryRun, max, batch, archive } = flags
  const stop = new AbortController()
  const onInterrupt = () => stop.abort(new Error('Ctrl-C'))
  const options = defined({
    cascade,
    onDelete,
    dryRun,
    max,
    batch,
    archive,
    ...(batch !== undefined && {
      signal: stop.signal,
      onProgress: ({ done, total }: { done: number; total: number }) =>
        output.progress(`${done.toLocaleString('en-US')} of ${total.toLocaleString('en-US')} rows`),
    }),
  })
  if (batch !== undefined) process.once('SIGINT', onInterrupt)
  try {
    return await run(options)
  } finally {
    process.off('SIGINT', onInterrupt)
  }
}

const ACTIONS = ['cascade', 'set null', 'set default', 'restrict'] as const

function action(text: string, before: EraseFlags['onDelete'] = {}): EraseFlags['onDelete'] {
  const separator = text.lastIndexOf('=')
  const wanted = ACTIONS.find(
    (action) =>
      action ===
      text
        .slice(separator + 1)
        .trim()
        .toLowerCase(),
  )
  if (separator < 1 || wanted === undefined) {
    throw new InvalidArgumentError(`Write KEY=ACTION, with one of ${ACTIONS.join(', ')}.`)
  }
  return { ...before, [text.slice(0, separator).trim()]: wanted }
}

/** Collects the values of an option that is given more than once. */
export function again(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `30d`, `12h`, `90m`, `45s` in milliseconds. */
export function age(text: string): number {
  const [, digits, unit = ''] = /^(\d+)([smhd])$/.exec(text.trim()) ?? []
  if (digits === undefined) {
    throw new AfreshError('usage', `--older-than: ${JSON.stringify(text)} is not an age.`, {
      next: 'Write 30d, 12h, 90m or 45s.',
    })
  }
  return Number(digits) * (UNITS[unit] ?? 0)
}
