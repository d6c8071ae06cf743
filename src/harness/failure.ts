import { AfreshError, messageOf } from '../errors.ts'

/**
 * Any failure as an `AfreshError`. A driver's error says neither what was in progress nor what to do next.
 *
 * @param doing what was in progress, as the words after "while"
 */
export function failureOf(error: unknown, doing: string): AfreshError {
  if (error instanceof AfreshError) return error
  return new AfreshError('server', `The server refused something while ${doing}: ${messageOf(error)}.`, {
    next: 'The next reset starts over; where it fails in the same way, fix what the server names.',
    cause: error,
  })
}

/** The captured baseline is part of the session. Once the session is lost, the baseline is unknown. */
export function sessionLost(database: string, cause: AfreshError): AfreshError {
  const [what = ''] = cause.message.split('\n  → ')
  return new AfreshError('server', what, {
    next:
      `The session that knew the baseline of "${database}" is lost, and its later resets fail as well: bring the database ` +
      'to its baseline again, release this one, and attach again.',
    cause,
  })
}
