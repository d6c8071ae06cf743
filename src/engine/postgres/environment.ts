import { readUrl, type UrlParts, type VariableReader, type Variables } from '../environment.ts'

export const protocols: readonly string[] = ['postgres', 'postgresql']

/** The parts as `pg` reads them. */
export function partsOf(url: string): UrlParts {
  const { parsed, decode } = readUrl(url)
  const host = parsed.searchParams.get('host') || decode(parsed.hostname.replace(/^\[|\]$/g, ''))
  return {
    url,
    host: host || undefined,
    port: parsed.searchParams.get('port') || parsed.port || (host === '' ? undefined : '5432'),
    user: decode(parsed.username) || undefined,
    password: decode(parsed.password) || undefined,
    database: decode(parsed.pathname.slice(1)) || undefined,
    socket: host.startsWith('/') ? host : undefined,
  }
}

/**
 * Variables that libpq, and with it psql and pg_restore, prefers to those below: a service, a separate
 * address, or a requirement that the server of the URL cannot meet.
 * https://www.postgresql.org/docs/current/libpq-envars.html
 */
const LEADS_ELSEWHERE = [
  'PGSERVICE',
  'PGSERVICEFILE',
  'PGHOSTADDR',
  'PGPASSFILE',
  'PGREQUIREPEER',
  'PGREQUIREAUTH',
  'PGCHANNELBINDING',
  'PGTARGETSESSIONATTRS',
  'PGLOADBALANCEHOSTS',
  'PGGSSENCMODE',
]

const TLS = [
  'PGSSLMODE',
  'PGREQUIRESSL',
  'PGSSLNEGOTIATION',
  'PGSSLROOTCERT',
  'PGSSLCERT',
  'PGSSLKEY',
  'PGSSLCRL',
]

/**
 * The variables with which PostgreSQL's own programs, and most others, find their database. Variables whose
 * part the URL omits stay unchanged, because `pg` reads them too.
 */
export function variablesFor(url: string, reader: VariableReader): Variables {
  const { host, port, user, password, database } = partsOf(url)
  const { searchParams } = readUrl(url).parsed
  const sslmode = searchParams.get('sslmode')
  const variables: Record<string, string | undefined> = {
    ...cleared(LEADS_ELSEWHERE),
    ...(sslmode === null ? cleared(TLS) : { PGSSLMODE: sslmode }),
  }
  const options = searchParams.get('options')
  // The code under test may rely on session settings (a search_path), but migrations must not depend on them.
  if (options !== null || reader === 'command') variables.PGOPTIONS = options ?? undefined
  const given = { PGHOST: host, PGPORT: port, PGUSER: user, PGPASSWORD: password, PGDATABASE: database }
  for (const [name, value] of Object.entries(given)) if (value !== undefined) variables[name] = value
  return variables
}

function cleared(names: readonly string[]): Variables {
  return Object.fromEntries(names.map((name) => [name, undefined]))
}
