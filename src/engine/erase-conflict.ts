import type { AfreshError } from '../errors.ts'

const conflicts = new WeakSet<AfreshError>()

/** An error that another session is the reason of, after which the same transaction may be tried again. */
export function asConflict<E extends AfreshError>(error: E): E {
  conflicts.add(error)
  return error
}

export function isConflict(error: unknown): error is AfreshError {
  return error instanceof Error && conflicts.has(error as AfreshError)
}
