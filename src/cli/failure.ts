import { CommanderError } from 'commander'
import { AfreshError, type ErrorCode, messageOf } from '../errors.ts'
import { toJson } from './output.ts'

export const EXIT = { done: 0, failed: 1, usage: 2, refused: 3, interrupted: 130 } as const

/** An error as the command line prints it. */
interface Failure {
  readonly code: ErrorCode | 'internal'
  readonly message: string
  readonly next: string | undefined
}

/** Prints the error to stderr or, with `--json`, as the only document to stdout. Returns the exit code. */
export function report(error: unknown, { json, debug }: { json: boolean; debug: boolean }): number {
  const failure = failureOf(error)
  if (json) process.stdout.write(`${toJson({ error: failure })}\n`)
  else process.stderr.write(`${textOf(failure)}\n`)
  if (debug) process.stderr.write(`${stackOf(error)}\n`)
  return failure.code === 'usage' ? EXIT.usage : failure.code === 'refused' ? EXIT.refused : EXIT.failed
}

function failureOf(error: unknown): Failure {
  if (error instanceof CommanderError) {
    const [message = '', ...hints] = error.message.replace(/^error: /, '').split('\n')
    return {
      code: 'usage',
      message: `${message.charAt(0).toUpperCase()}${message.slice(1)}.`.replace(/\.\.$/, '.'),
      next: [...hints, 'See `afresh --help`, or `afresh help COMMAND`.'].join(' '),
    }
  }
  const known = knownIn(error)
  if (known === undefined) {
    const next = 'This is most likely a fault of afresh: run it again with --debug, and report what it says.'
    return { code: 'internal', message: messageOf(error), next }
  }
  const { code, next } = known
  // If cleaning up failed too, the message of `error` contains both failures.
  return { code, message: messageOf(error).replace(next === undefined ? '' : `\n  → ${next}`, ''), next }
}

/** An error that combines a failure with those of cleaning up has the first failure as its cause. */
function knownIn(error: unknown): AfreshError | undefined {
  if (error instanceof AfreshError) return error
  return error instanceof AggregateError ? knownIn(error.cause) : undefined
}

function textOf({ code, message, next }: Failure): string {
  const kind = code === 'refused' ? 'Refused: ' : code === 'internal' ? 'Failed: ' : ''
  return `${kind}${message}${next === undefined ? '' : `\n  → ${next}`}`
}

function stackOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return error instanceof Error && error.cause !== undefined
    ? `${stack}\ncaused by: ${stackOf(error.cause)}`
    : stack
}
