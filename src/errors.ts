/** What went wrong, by kind: the command line derives its exit code from it, callers may switch on it. */
export type ErrorCode =
  /** An option, URL, schema or file that cannot be used as given. */
  | 'usage'
  /** The guard refused: the target is not, or may not be, afresh's to change. */
  | 'refused'
  /** No server could be started or reached. */
  | 'server'
  /** Migrations or fixtures failed. */
  | 'baseline'
  /** A plan cannot be made for this schema and these options. */
  | 'plan'
  /** A step of a reset failed. */
  | 'reset'
  /** Another session is in the way. */
  | 'blocked'
  /** A test left something open. */
  | 'leak'
  /** Selected rows could not be deleted as asked; none was. */
  | 'erase'

export interface AfreshErrorOptions {
  /** What the reader should do next, as one sentence. */
  readonly next?: string
  readonly cause?: unknown
}

/**
 * Every error that afresh throws on purpose. `message` says what was wrong and, after a line break, what
 * to do about it.
 */
export class AfreshError extends Error {
  override readonly name: string = 'AfreshError'
  readonly code: ErrorCode
  /** What to do next. */
  readonly next: string | undefined

  constructor(code: ErrorCode, message: string, { next, cause }: AfreshErrorOptions = {}) {
    super(next === undefined ? message : `${message}\n  → ${next}`, cause === undefined ? {} : { cause })
    this.code = code
    this.next = next
  }
}

/** The guard refused. States the fact, the evidence and the safe way; nothing was changed. */
export class RefusedError extends AfreshError {
  override readonly name = 'RefusedError'
  constructor(message: string, options?: AfreshErrorOptions) {
    super('refused', message, options)
  }
}

/** Where in a reset it went wrong. */
export interface FailedStep {
  /** What the step was to do, as the plan words it. */
  readonly step: string
  readonly table: string | undefined
  readonly statement: string | undefined
}

/** A step of a reset failed; the database was left as it was before, or the next reset puts it right. */
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

/** A statement of an erase failed, and with it the whole: nothing was changed, but for batches before. */
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

/** The message of anything that was thrown; an `AggregateError` of refused connections has none of its own. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(messageOf).join('; ')
  }
  return error instanceof Error ? error.message : String(error)
}

/** The driver's or system's error code (`23503`, `ECONNREFUSED`), where there is one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  if (error instanceof AggregateError && !('code' in error)) return codeOf(error.errors[0])
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** Runs `body`; where it fails, `undo`, whose own failure is joined to the first one instead of hiding it. */
export async function withUndo<T>(body: () => Promise<T>, undo: () => Promise<void>): Promise<T> {
  try {
    return await body()
  } catch (error) {
    try {
      await undo()
    } catch (second) {
      throw new AggregateError(
        [error, second],
        `${messageOf(error)} (and cleaning up failed: ${messageOf(second)})`,
        {
          cause: error,
        },
      )
    }
    throw error
  }
}

/** Runs `body`, then `cleanUp` whatever happened. */
export async function withCleanUp<T>(body: () => Promise<T>, cleanUp: () => Promise<void>): Promise<T> {
  const result = await withUndo(body, cleanUp)
  await cleanUp()
  return result
}
