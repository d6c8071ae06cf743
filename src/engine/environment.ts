import { AfreshError } from '../errors.ts'

/** What a variable of the environment can be given of a database's URL. */
export const URL_PARTS = ['url', 'host', 'port', 'user', 'password', 'database', 'socket'] as const

export type UrlPart = (typeof URL_PARTS)[number]

/** Variables, and the part of the URL that each of them is to have: `{ DB_NAME: 'database' }`. */
export type VariableMapping = Readonly<Record<string, UrlPart>>

/** Variables of an environment; `undefined`: it must not be set. */
export type Variables = Readonly<Record<string, string | undefined>>

/** Who reads them: a migration command, or the code under test. */
export type VariableReader = 'command' | 'tests'

/** How an engine's clients are told of a database, beside its URL. */
export interface ConnectionVariables {
  partsOf(url: string): UrlParts
  variablesFor(url: string, reader: VariableReader): Variables
}

/** What a URL says, decoded; a part that it leaves open is missing. */
export type UrlParts = { readonly [Part in UrlPart]?: string | undefined } & { readonly url: string }

/** The variables of a configuration. One whose part the URL leaves open must not be set, or it would lead elsewhere. */
export function mappedVariables(parts: UrlParts, mapping: VariableMapping): Variables {
  return Object.fromEntries(Object.entries(mapping).map(([name, part]) => [name, parts[part]]))
}

/** An environment with these variables changed. */
export function withVariables(
  environment: Variables,
  variables: Variables,
): Record<string, string | undefined> {
  const changed: Record<string, string | undefined> = { ...environment, ...variables }
  for (const [name, value] of Object.entries(variables)) if (value === undefined) delete changed[name]
  return changed
}

/**
 * Reads a URL, and decodes what is percent-encoded in it.
 *
 * @throws AfreshError `usage`, without the text, which may hold a password
 */
export function readUrl(url: string): { readonly parsed: URL; readonly decode: (part: string) => string } {
  if (!URL.canParse(url)) {
    throw new AfreshError('usage', 'The URL of the database cannot be read.', {
      next: 'Write it as postgres://user:password@host:5432/database, or with mysql:// or mariadb://.',
    })
  }
  return { parsed: new URL(url), decode }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

const IN_URL = /([a-z][\w+.-]*:\/{0,2}[^\s:/@"']*:)[^\s"']+@/gi

/** A text without passwords: those of URLs in it, and the one of this URL wherever it stands. */
export function masked(text: string, url?: string): string {
  const known = url === undefined ? [] : secretsOf(url)
  const without = known.reduce((result, secret) => result.replaceAll(secret, '***'), text)
  return without.replaceAll(IN_URL, '$1***@')
}

/** As it stands in the URL, and decoded. One that is the name of something says nothing, and is in every message. */
function secretsOf(url: string): string[] {
  if (!URL.canParse(url)) return []
  const { password, username, pathname } = new URL(url)
  const isName = [username, pathname.slice(1), ''].includes(password)
  return isName || password.length < MIN_SECRET ? [] : [...new Set([password, decode(password)])]
}

/** Shorter ones are part of too many words. */
const MIN_SECRET = 3

/** An error whose message may be shown: itself, or a copy without the passwords. */
export function maskedError(error: unknown, url: string): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? masked(error, url) : error
  if (masked(`${error.message}\n${error.stack}`, url) === `${error.message}\n${error.stack}`) return error
  const copy = new Error(masked(error.message, url))
  copy.name = error.name
  copy.stack = masked(error.stack ?? '', url)
  return copy
}
