import { AfreshError } from '../../errors.ts'
import { errnoOf } from './session.ts'

/** Why a database could not be created. */
export function createError(name: string, cause: unknown): AfreshError {
  const errno = errnoOf(cause)
  if (errno === 1007) {
    return new AfreshError('server', `A database "${name}" already exists.`, {
      next: 'Choose another name, or drop it if it is left over.',
      cause,
    })
  }
  if (errno === 1044 || errno === 1227) {
    return new AfreshError('server', 'The user may not create databases.', {
      next: 'GRANT ALL ON `afresh\\_%`.* TO the user, or give a URL of one who may.',
      cause,
    })
  }
  return new AfreshError('server', `Could not create the database "${name}": ${String(cause)}.`, {
    next: 'See what the server says, and try again.',
    cause,
  })
}
