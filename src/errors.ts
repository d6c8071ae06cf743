/** Kind of an error. The command line derives its exit code from it; callers can switch on it. */
export type ErrorCode =
  /** An option, URL, schema or file that cannot be used. */
  | 'usage'
  /** The guard refused: afresh does not own the target, or must not change it. */
  | 'refused'
  /** No server could be started or reached. */
  | 'server'
  /** Migrations or fixtures failed. */
  | 'baseline'
  /** No plan exists for this schema and these options. */
  | 'plan'
  /** A step of a reset failed. */
  | 'reset'
  /** Another session blocks the operation, usually by a lock. */
  | 'blocked'
  /** A test left a transaction, statement or advisory lock open. */
  | 'leak'
  /** Selected rows could not be deleted as requested; none were deleted. */
  | 'erase'

export interface AfreshErrorOptions {
  /** What to do next, as one sentence. */
  readonly next?: string
  readonly cause?: unknown
}

/**
 * Base class of all errors that afresh throws deliberately. `message` says what was wrong and, after a line
 * break, what to do about it.
 */
export class AfreshError extends Error {
  override readonly name: string = 'AfreshError'
  readonly code: ErrorCode
  /** What to do next, as one sentence. */
  readonly next: string | undefined

  constructor(code: ErrorCode, message: string, { next, cause }: AfreshErrorOptions = {}) {
    super(next === undefined ? message : `${message}\n  → ${next}`, cause === undefined ? {} : { cause })
    this.code = code
    this.next = next
  }
}

/** The guard refused. The message states the fact, the evidence and the safe way. Nothing was changed. */
export class RefusedError extends AfreshError {
  override readonly name = 'RefusedError'
  constructor(message: string, options?: AfreshErrorOptions) {
    super('refused', message, options)
  }
}

/** Where a reset failed. */
export interface FailedStep {
  /** The step in the words of the plan: `delete from orders`. */
  readonly step: string
  readonly table: string | undefined
  readonly statement: string | undefined
}

/** A step of a reset failed. The database is unchanged, or the next reset repairs it. */
export class ResetError extends AfreshError {
  override readonly name = 'ResetError'
  readonly failed: FailedStep

  constructor(failed: FailedStep, cause: unknown, options: { code?: ErrorCode; next?: string } = {}) {
    const position = [
      `  step:      ${failed.step}`,
      ...(failed.table === undefined ? [] : [`  table:     ${failed.table}`]),
      ...(failed.statement === undefined ? [] : [`  statement: ${failed.statement}`]),
      `  cause:     ${messageOf(cause)}`,
    ].join('\n')
    super(options.code ?? 'reset', `The reset failed.\n${position}`, {
      cause,
      ...(options.next === undefined ? {} : { next: options.next }),
    })
    this.failed = failed
  }
}

/** A statement of an erase failed. Nothing was changed, except by earlier batches. */
export class EraseError extends AfreshError {
  override readonly name = 'EraseError'
  readonly statement: string

  constructor(statement: string, cause: unknown, options: { code?: ErrorCode; next: string }) {
    const shown = statement.length > 500 ? `${statement.slice(0, 500)} …` : statement
    super(
      options.code ?? 'erase',
      `The rows could not be erased.\n  statement: ${shown}\n  cause:     ${messageOf(cause)}`,
      { cause, next: options.next },
    )
    this.statement = statement
  }
}

/** The message of any thrown value. An `AggregateError` of refused connections has no message of its own. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(messageOf).join('; ')
  }
  return error instanceof Error ? error.message : String(error)
}

/** The error code of the driver or the system (`23503`, `ECONNREFUSED`), if any. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  if (error instanceof AggregateError && !('code' in error)) return codeOf(error.errors[0])
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** The error of work that failed, and whose cleanup failed too. */
export function withCleanupFailure(error: unknown, second: unknown): AggregateError {
  return new AggregateError(
    [error, second],
    `${messageOf(error)} (and cleaning up failed: ${messageOf(second)})`,
    { cause: error },
  )
}

/** Runs `body`, and `undo` if it fails. If `undo` fails too, the error contains both failures. */
export async function withUndo<T>(body: () => Promise<T>, undo: () => Promise<void>): Promise<T> {
  try {
    return await body()
  } catch (error) {
    try {
      await undo()
    } catch (second) {
      throw withCleanupFailure(error, second)
    }
    throw error
  }
}

/** Runs `body`, then `cleanUp` on success and on failure. */
export async function withCleanUp<T>(body: () => Promise<T>, cleanUp: () => Promise<void>): Promise<T> {
  const result = await withUndo(body, cleanUp)
  await cleanUp()
  return result
}
