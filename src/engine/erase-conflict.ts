import type { AfreshError } from '../errors.ts'

const conflicts = new WeakSet<AfreshError>()

/** Marks an error as caused by another session: the same transaction may be retried. */
export function asConflict<E extends AfreshError>(error: E): E {
  conflicts.add(error)
  return error
}

export function isConflict(error: unknown): error is AfreshError {
  return error instanceof Error && conflicts.has(error as AfreshError)
}
