import { AfreshError, codeOf, messageOf } from '../../errors.ts'
import type { ServerAddress } from './url.ts'

/** Explains why a connection could not be opened, without the password. */
export function connectError(address: ServerAddress, cause: unknown, timeoutMs: number): AfreshError {
  if (cause instanceof AfreshError) return cause
  const where = address.socketPath ?? `${address.host}:${address.port}`
  const refusal = (message: string, next: string) => new AfreshError('server', message, { next, cause })
  switch (codeOf(cause)) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return refusal(`No server is listening at ${where}.`, 'Start the server there, or correct the URL.')
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return refusal(`The host name ${address.host} is not known.`, 'Correct the URL.')
    case 'ETIMEDOUT':
      return refusal(
        `Could not connect to ${where}: no answer within ${timeoutMs} ms.`,
        'Check host, port and server in the URL.',
      )
    case 'ER_ACCESS_DENIED_ERROR':
      return refusal(
        `The server at ${where} does not let "${address.user}" in.`,
        'Correct user and password in the URL.',
      )
    case 'ER_DBACCESS_DENIED_ERROR':
      return refusal(
        `The server at ${where} does not let "${address.user}" into the database "${address.database ?? ''}".`,
        'Name a database that exists, or grant the user access to it.',
      )
    case 'ER_BAD_DB_ERROR':
      return refusal(
        `The server at ${where} has no database "${address.database ?? ''}".`,
        'Create it, or leave the name out (afresh makes its own databases).',
      )
    case 'ER_CON_COUNT_ERROR':
    case 'ER_TOO_MANY_USER_CONNECTIONS':
      return refusal(
        `The server at ${where} has no free connection.`,
        'Raise max_connections, or run fewer workers.',
      )
    default:
      return refusal(
        `Could not connect to MySQL or MariaDB at ${where}: ${messageOf(cause)}.`,
        'Check host, port and server in the URL.',
      )
  }
}
