import {
  AfreshError,
  EraseError,
  type ErrorCode,
  type FailedStep,
  messageOf,
  RefusedError,
  ResetError,
} from '../../../errors.ts'

/** An error as a message carries it. */
export interface ErrorData {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly code: string | undefined
  readonly next?: string | undefined
  readonly failed?: FailedStep
  readonly statement?: string
  readonly cause?: ErrorData
}

export function toData(error: unknown): ErrorData {
  if (!(error instanceof Error)) {
    return { name: 'Error', message: messageOf(error), stack: undefined, code: undefined }
  }
  return {
    name: error.name,
    message: messageOf(error),
    stack: error.stack,
    code: 'code' in error && typeof error.code === 'string' ? error.code : undefined,
    ...(error instanceof AfreshError && { next: error.next }),
    ...(error instanceof ResetError && { failed: error.failed }),
    ...(error instanceof EraseError && { statement: error.statement }),
    ...(error.cause !== undefined && { cause: toData(error.cause) }),
  }
}

/** The same error in this process, of the same class if it is an `AfreshError`. */
export function fromData(data: ErrorData): Error {
  const cause = data.cause === undefined ? undefined : fromData(data.cause)
  const code = data.code as ErrorCode
  const next = data.next === undefined ? {} : { next: data.next }
  if (data.failed !== undefined) return new ResetError(data.failed, cause, { code, ...next })
  if (data.statement !== undefined) {
    return new EraseError(data.statement, cause, { code, next: data.next ?? '' })
  }
  const message = data.next === undefined ? data.message : data.message.replace(`\n  → ${data.next}`, '')
  const options = { ...next, ...(cause !== undefined && { cause }) }
  if (data.name === 'RefusedError') return new RefusedError(message, options)
  if (data.name === 'AfreshError') return new AfreshError(code, message, options)
  const error = new Error(data.message, cause === undefined ? {} : { cause })
  return Object.assign(error, {
    name: data.name,
    ...(data.code !== undefined && { code: data.code }),
    ...(data.stack !== undefined && { stack: data.stack }),
  })
}
