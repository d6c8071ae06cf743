import { type AfreshError, EraseError, type ErrorCode } from '../errors.ts'

const conflicts = new WeakSet<AfreshError>()

/** Marks an error as caused by another session: the same transaction may be retried. */
export function asConflict<E extends AfreshError>(error: E): E {
  conflicts.add(error)
  return error
}

export interface EraseAdvice {
  readonly code?: ErrorCode
  readonly next: string
}

/** @param isRetryable whether another session caused it, so that the same transaction may be retried */
export function eraseErrorWith(
  sql: string,
  cause: unknown,
  { code, next }: EraseAdvice,
  isRetryable: boolean,
): EraseError {
  const error = new EraseError(sql, cause, { next, ...(code !== undefined && { code }) })
  return isRetryable ? asConflict(error) : error
}

export function isConflict(error: unknown): error is AfreshError {
  return error instanceof Error && conflicts.has(error as AfreshError)
}
