import type { UrlParts, Variables } from '../environment.ts'
import { parseUrl } from './url.ts'

export const protocols: readonly string[] = ['mysql', 'mariadb']

export function partsOf(url: string): UrlParts {
  const { host, port, user, password, database, socketPath } = parseUrl(url)
  // For "localhost" the server's own client uses its socket: another server's if this one is in a container.
  const address = host === 'localhost' && socketPath === undefined ? '127.0.0.1' : host
  return { url, host: address, port: String(port), user, password, database, socket: socketPath }
}

/**
 * The variables that the servers' own clients read (host, port, socket, password), and those that programs
 * and images read by convention. https://dev.mysql.com/doc/refman/9.0/en/environment-variables.html
 */
export function variablesFor(url: string): Variables {
  const { host, port, user, password = '', database, socket } = partsOf(url)
  const both = (prefix: string): Variables => ({
    [`${prefix}_HOST`]: host,
    [`${prefix}_PORT`]: port,
    [`${prefix}_TCP_PORT`]: port,
    [`${prefix}_UNIX_PORT`]: socket,
    [`${prefix}_USER`]: user,
    [`${prefix}_PASSWORD`]: password,
    [`${prefix}_DATABASE`]: database,
  })
  return {
    ...both('MYSQL'),
    ...both('MARIADB'),
    MYSQL_PWD: password,
    // Groups of option files and stored logins, which may name another server.
    MYSQL_GROUP_SUFFIX: undefined,
    MYSQL_HOME: undefined,
    MARIADB_HOME: undefined,
    MYSQL_TEST_LOGIN_FILE: undefined,
  }
}
