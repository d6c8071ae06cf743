import { AfreshError } from '../errors.ts'

/** The parts of a database URL that an environment variable can receive. */
export const URL_PARTS = ['url', 'host', 'port', 'user', 'password', 'database', 'socket'] as const

export type UrlPart = (typeof URL_PARTS)[number]

/** Environment variables and the part of the URL that each of them receives: `{ DB_NAME: 'database' }`. */
export type VariableMapping = Readonly<Record<string, UrlPart>>

/** Environment variables; `undefined` means that the variable must not be set. */
export type Variables = Readonly<Record<string, string | undefined>>

/** What reads the variables: a migration command, or the code under test. */
export type VariableReader = 'command' | 'tests'

/** How an engine's clients find a database by variables, besides its URL. */
export interface ConnectionVariables {
  /** The URL protocols of the engine, without the colon. */
  readonly protocols: readonly string[]
  partsOf(url: string): UrlParts
  variablesFor(url: string, reader: VariableReader): Variables
}

/** The decoded parts of a URL; parts that the URL omits are missing. */
export type UrlParts = { readonly [Part in UrlPart]?: string | undefined } & { readonly url: string }

/**
 * The variables of a configuration. A variable whose part the URL omits is unset, or it would point to
 * another database.
 */
export function mappedVariables(parts: UrlParts, mapping: VariableMapping): Variables {
  return Object.fromEntries(Object.entries(mapping).map(([name, part]) => [name, parts[part]]))
}

/** The protocol of a URL without the colon, in lower case; `undefined` for a path. */
export function protocolOf(url: string): string | undefined {
  return /^([a-z][a-z+.-]*):/i.exec(url)?.[1]?.toLowerCase()
}

export function withVariables(
  environment: Variables,
  variables: Variables,
): Record<string, string | undefined> {
  const changed: Record<string, string | undefined> = { ...environment, ...variables }
  for (const [name, value] of Object.entries(variables)) if (value === undefined) delete changed[name]
  return changed
}

/**
 * Parses a URL; `decode` decodes percent-encoded parts.
 *
 * @throws AfreshError `usage`, without the URL, which may contain a password
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

/** Replaces the passwords of all URLs in a text, and all occurrences of this URL's password. */
export function masked(text: string, url?: string): string {
  const known = url === undefined ? [] : secretsOf(url)
  const without = known.reduce((result, secret) => result.replaceAll(secret, '***'), text)
  return without.replaceAll(IN_URL, '$1***@')
}

/**
 * The password as it is in the URL, and decoded. A password that equals the user or the database is no
 * secret, and occurs in every message.
 */
function secretsOf(url: string): string[] {
  if (!URL.canParse(url)) return []
  const { password, username, pathname } = new URL(url)
  const isName = [username, pathname.slice(1), ''].includes(password)
  return isName || password.length < MIN_SECRET ? [] : [...new Set([password, decode(password)])]
}

/** Shorter passwords occur in too many words. */
const MIN_SECRET = 3

/** Returns the error itself, or a copy without the passwords. */
export function maskedError(error: unknown, url: string): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? masked(error, url) : error
  if (masked(`${error.message}\n${error.stack}`, url) === `${error.message}\n${error.stack}`) return error
  const copy = new Error(masked(error.message, url))
  copy.name = error.name
  copy.stack = masked(error.stack ?? '', url)
  return copy
}
