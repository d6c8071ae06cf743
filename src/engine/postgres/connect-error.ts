import { AfreshError, codeOf, messageOf } from '../../errors.ts'

/** Settings that end a session or its statement, by the error that the server then sends. */
const TIMEOUTS: Readonly<Record<string, string>> = {
  '57P05': 'idle_session_timeout',
  '25P03': 'idle_in_transaction_session_timeout',
  '25P04': 'transaction_timeout',
  '57014': 'statement_timeout',
}

/** Explains why a connection could not be opened, without the password. */
export function connectError(url: URL, cause: unknown, timeoutMs: number): AfreshError {
  const where = `${decodeURIComponent(url.hostname) || 'localhost'}:${url.port || 5432}`
  const [message, next] =
    unreachable(url, cause, where) ?? rejected(url, cause, where) ?? other(cause, where, timeoutMs)
  return new AfreshError('server', message, { next, cause })
}

type Explanation = readonly [message: string, next: string]

function unreachable({ hostname }: URL, cause: unknown, where: string): Explanation | undefined {
  switch (codeOf(cause)) {
    case 'ECONNREFUSED':
      return [`No server is listening at ${where}.`, 'Start the server there, or correct the URL.']
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return [`The host name ${hostname} is not known.`, 'Correct the URL.']
    default:
      return undefined
  }
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
function rejected({ username, pathname }: URL, cause: unknown, where: string): Explanation | undefined {
  const code = codeOf(cause) ?? ''
  const user = decodeURIComponent(username)
  switch (code) {
    case '28P01':
    case '28000':
      return [
        `The server at ${where} does not let "${user}" in: ${messageOf(cause)}.`,
        'Correct user and password in the URL.',
      ]
    case '3D000':
      return [
        `The server at ${where} has no database "${decodeURIComponent(pathname.slice(1))}".`,
        'Create it, or name one that exists (afresh makes its own databases; "postgres" will do).',
      ]
    case '53300':
      return [
        `The server at ${where} has no free connection.`,
        'Raise max_connections, or run fewer workers.',
      ]
    case '57P03':
      return [
        `The server at ${where} takes no connections now: ${messageOf(cause)}.`,
        'Wait until it has started, and run the tests again.',
      ]
    case '57P01':
    case '57P02':
      return [
        `The server at ${where} ended a session that afresh was opening: ${messageOf(cause)}.`,
        'See whether the server was stopped, or another session called pg_terminate_backend; its log says so. Then run the tests again.',
      ]
    default:
      return TIMEOUTS[code] === undefined ? undefined : timedOut(TIMEOUTS[code], user, cause, where)
  }
}

/** The setting applies before afresh's own value for it arrives. */
function timedOut(setting: string, user: string, cause: unknown, where: string): Explanation {
  return [
    `The server at ${where} ended a session that afresh was opening, by its setting ${setting}: ${messageOf(cause)}.`,
    `Raise ${setting} where it is set: \`SHOW ${setting}\` says for how long, and \`\\drds\` of psql whether for the role "${user}" or the database (ALTER ROLE or ALTER DATABASE … RESET ${setting}).`,
  ]
}

function other(cause: unknown, where: string, timeoutMs: number): Explanation {
  const failed = `Could not connect to PostgreSQL at ${where}`
  if (isFromServer(cause))
    return [
      `${failed}: ${messageOf(cause)}.`,
      'The server sent this: see its log, and the settings of the role and of the database in the URL.',
    ]
  const isTimeout = /timeout/i.test(messageOf(cause))
  return [
    `${failed}: ${isTimeout ? `no answer within ${timeoutMs} ms` : messageOf(cause)}.`,
    'Check host, port and server in the URL.',
  ]
}

/** An error of the server has a SQLSTATE and a severity; one of the driver or of the system has not. */
export function isFromServer(cause: unknown): boolean {
  return cause instanceof Error && 'severity' in cause && cause.severity !== undefined
}
