import { AfreshError } from '../../errors.ts'

/** The driver's settings from a URL. Other parameters are ignored: they belong to other programs. */
export interface ServerAddress {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password?: string
  readonly database?: string
  readonly socketPath?: string
  readonly ssl?: { readonly rejectUnauthorized: boolean }
}

/** Parses `mysql://user:password@host:port/database?ssl-mode=…&socket=…`. Throws `AfreshError` (`usage`). */
export function parseUrl(url: string): ServerAddress {
  const parsed = urlOrError(url)
  const database = decoded(parsed.pathname.slice(1))
  const password = decoded(parsed.password)
  const socketPath = parsed.searchParams.get('socket') ?? parsed.searchParams.get('socketPath')
  const ssl = sslOf(parsed.searchParams)
  return {
    host: decoded(parsed.hostname.replace(/^\[|\]$/g, '')) || 'localhost',
    port: parsed.port === '' ? 3306 : Number(parsed.port),
    user: decoded(parsed.username) || 'root',
    ...(password === '' ? {} : { password }),
    ...(database === '' ? {} : { database }),
    ...(socketPath === null ? {} : { socketPath }),
    ...(ssl === undefined ? {} : { ssl }),
  }
}

/** The URL of another database on the same server. */
export function urlOf(url: string, database: string): string {
  const other = urlOrError(url)
  other.pathname = `/${encodeURIComponent(database)}`
  return other.toString()
}

/** The URL of the same database for another user. */
export function asUser(
  url: string,
  { user, password }: { readonly user: string; readonly password: string },
): string {
  const other = urlOrError(url)
  other.username = encodeURIComponent(user)
  other.password = encodeURIComponent(password)
  return other.toString()
}

function urlOrError(url: string): URL {
  try {
    const parsed = new URL(url)
    if (/^(mysql|mariadb):$/.test(parsed.protocol)) return parsed
  } catch {
    // Reported below: the error of `URL` would repeat the password.
  }
  throw new AfreshError('usage', 'This is not a URL of MySQL or MariaDB.', {
    next: 'Write it as mysql://user:password@host:3306/database, with special characters percent-encoded.',
  })
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** The names of `mysql --ssl-mode`; a test server's certificate can rarely be verified. */
function sslOf(params: URLSearchParams): ServerAddress['ssl'] {
  const mode = (params.get('ssl-mode') ?? params.get('sslmode') ?? '').toUpperCase().replaceAll('-', '_')
  if (mode.startsWith('VERIFY')) return { rejectUnauthorized: true }
  const wanted = mode === 'REQUIRED' || mode === 'REQUIRE' || params.get('ssl') === 'true'
  return wanted ? { rejectUnauthorized: false } : undefined
}
