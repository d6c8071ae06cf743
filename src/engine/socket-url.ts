interface Parts {
  readonly credentials: string
  /** A folder of sockets, `/run/postgresql`, is percent-encoded where a URL has its host: `pg` and libpq read it so. */
  readonly host: string
  readonly port: string
  readonly path: string
  readonly parameters: URLSearchParams
}

const POSTGRES = /^(postgres(?:ql)?):\/\/(?:([^@/?#]*)@)?([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/i
const SOCKET = /^socket:(?:\/\/(?:([^@/?#]*)@)?)?(\/[^?#]*)(?:\?([^#]*))?$/i
const MYSQL_WITHOUT_HOST = /^((?:mysql|mariadb):\/\/[^@/?#]*@)(\/[^?#]*\?.*\bsocket(?:Path)?=)/i

/** What Prisma reads in a URL. Other clients hand it to the server, which does not know of it. */
const OF_PRISMA = ['pgbouncer', 'connection_limit', 'pool_timeout', 'socket_timeout', 'statement_cache_size']

/**
 * The forms of a URL that `pg` and mysql2 take, and `URL` does not (no host, and a socket named by `?host=` or `socket:`), as
 * one that every client takes. Any other text comes back as it is.
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
  const asked = parameters.get('host')
  const isPlain =
    asked === null && !OF_PRISMA.some((name) => parameters.has(name)) && parameters.get('schema') !== 'public'
  if (isPlain) return url
  for (const name of OF_PRISMA) parameters.delete(name)
  if (parameters.get('schema') === 'public') parameters.delete('schema')
  const [, host = '', port = ''] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(authority) ?? []
  const wanted = asked || decoded(host)
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
  const who = given || credentials
  const where = host.startsWith('/') ? encodeURIComponent(host) : host
  const rest = parameters.toString()
  return `${protocol}://${who === '' ? '' : `${who}@`}${where}${port === '' ? '' : `:${port}`}${path}${rest === '' ? '' : `?${rest}`}`
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
