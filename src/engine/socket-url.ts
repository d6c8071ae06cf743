interface Parts {
  readonly credentials: string
  /**
   * A socket directory such as `/run/postgresql` is percent-encoded as the host of a URL, as `pg` and libpq
   * accept it.
   */
  readonly host: string
  readonly port: string
  readonly path: string
  readonly parameters: URLSearchParams
}

const POSTGRES = /^(postgres(?:ql)?):\/\/(?:([^@/?#]*)@)?([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/i
const SOCKET = /^socket:(?:\/\/(?:([^@/?#]*)@)?)?(\/[^?#]*)(?:\?([^#]*))?$/i
const MYSQL_WITHOUT_HOST = /^((?:mysql|mariadb):\/\/[^@/?#]*@)(\/[^?#]*\?.*\bsocket(?:Path)?=)/i

/** URL parameters of Prisma. Other clients pass them to the server, which rejects them. */
const OF_PRISMA = ['pgbouncer', 'connection_limit', 'pool_timeout', 'socket_timeout', 'statement_cache_size']

/**
 * Converts URLs that `pg` and mysql2 accept and `URL` does not (no host, or a socket in `?host=` or
 * `socket:`) to a form that every client accepts. Returns any other text unchanged.
 */
export function canonicalUrl(url: string): string {
  const [, from, folder = '', query = ''] = SOCKET.exec(url) ?? []
  if (folder !== '') {
    const parameters = new URLSearchParams(query)
    const path = `/${encodeURIComponent(parameters.get('db') ?? '')}`
    parameters.delete('db')
    return written('postgres', { credentials: from ?? '', host: decoded(folder), port: '', path, parameters })
  }
  const found = POSTGRES.exec(url)
  if (found === null) return url.replace(MYSQL_WITHOUT_HOST, '$1localhost$2')
  const [, protocol = '', credentials = '', authority = '', path = '', parametersText = ''] = found
  const parameters = new URLSearchParams(parametersText)
  const hostParameter = parameters.get('host')
  const isPlain =
    hostParameter === null &&
    !OF_PRISMA.some((name) => parameters.has(name)) &&
    parameters.get('schema') !== 'public'
  if (isPlain) return url
  for (const name of OF_PRISMA) parameters.delete(name)
  if (parameters.get('schema') === 'public') parameters.delete('schema')
  const [, host = '', port = ''] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(authority) ?? []
  const wanted = hostParameter || decoded(host)
  parameters.delete('host')
  const wantedPort = parameters.get('port') || port
  parameters.delete('port')
  return written(protocol, { credentials, host: wanted, port: wantedPort, path, parameters })
}

function written(protocol: string, { credentials, host, port, path, parameters }: Parts): string {
  const user = parameters.get('user')
  const password = parameters.get('password')
  for (const name of ['user', 'password']) parameters.delete(name)
  const given = [user, password]
    .flatMap((part) => (part === null ? [] : [encodeURIComponent(part)]))
    .join(':')
  const account = given || credentials
  const where = host.startsWith('/') ? encodeURIComponent(host) : host
  const rest = parameters.toString()
  return `${protocol}://${account === '' ? '' : `${account}@`}${where}${port === '' ? '' : `:${port}`}${path}${rest === '' ? '' : `?${rest}`}`
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
