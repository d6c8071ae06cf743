/**
 * In: the test's database, the environment, and what this process sent to databases. Out: an error if the
 * code under test uses a database other than the test's. Called by the runners, before the first test of a
 * file and after each test.
 */
import { runOf } from '../../database/names.ts'
import { environmentOf, variablesOf, WIRE_PROTOCOLS } from '../../engine/clients.ts'
import { masked, type Variables } from '../../engine/environment.ts'
import { AfreshError } from '../../errors.ts'
import type { HarnessHandle } from '../../harness/handle.ts'
import { wasLeasedHere } from '../../harness/leased-names.ts'
import { takeUsed, type UsedSession, wasUsed } from './connections.ts'

/** The database that the code under test must use. */
export interface TestTarget {
  readonly url: string
  readonly handle: Pick<HarnessHandle, 'run' | 'server' | 'tests'>
}

/** The variables that point to the database. */
export function targetVariables({ url, handle }: TestTarget): Variables {
  return variablesOf(url, 'tests', handle.tests.env)
}

/** Sets the variables, and deletes those without a value, which would point elsewhere. */
export function setVariables(environment: NodeJS.ProcessEnv, variables: Variables): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete environment[name]
    else environment[name] = value
  }
}

/** The current values of `DATABASE_URL` and of the variables in the configuration. */
export function configuredIn(environment: NodeJS.ProcessEnv, { tests }: TestTarget['handle']): Variables {
  return Object.fromEntries(
    ['DATABASE_URL', ...Object.keys(tests.env)].map((name) => [name, environment[name]]),
  )
}

/**
 * Before the first test of a file: checks that the loaded code has not changed the variables.
 *
 * @param now the result of `configuredIn`
 * @throws AfreshError `usage`, unless `otherDatabases` is `warn` or `ignore`
 */
export function checkVariables(lead: TestTarget, now: Variables): void {
  const changed = changedIn(lead, now)
  if (changed.length === 0) return
  const [first] = changed
  report(
    lead,
    new AfreshError(
      'usage',
      `${first?.name} was changed after afresh had set it: it does not lead to the test's database.${listed(changed.map(shown))}`,
      {
        next:
          'Something that the test loads has set it, often dotenv.config({ override: true }): leave `override` out, variables ' +
          `that are set win then. ${OPTION}`,
      },
    ),
  )
}

/**
 * After a test: checks that this process has not sent statements to another database.
 *
 * @throws AfreshError `usage`, unless `otherDatabases` is `warn` or `ignore`
 */
export function checkConnections(test: string, lead: TestTarget, environment: NodeJS.ProcessEnv): void {
  const used = takeUsed().filter((session) => isElsewhere(session, lead))
  if (used.length === 0) return
  const name = nameIn(lead.url)
  const alone = wasUsed(name) ? '' : ` Nothing in this process has used its own, "${name}".`
  const hints = used.flatMap((session) => variablesLeadingTo(session, lead, environment))
  report(
    lead,
    new AfreshError(
      'usage',
      `"${test}", or what ran before it in this process, used another database than the test's.${alone}${listed([...used.map(describe), ...new Set(hints)])}`,
      {
        next:
          'Have that code read DATABASE_URL; or give the variable that it reads its value in afresh.config: ' +
          `env: { DB_NAME: 'database' } (or url, host, port, user, password). ${OPTION}`,
      },
    ),
  )
}

const OPTION =
  "If it is intended: otherDatabases: ['its name'] allows it, 'warn' and 'ignore' allow every database."

function report({ handle }: TestTarget, error: AfreshError): void {
  const { otherDatabases } = handle.tests
  if (otherDatabases === 'ignore') return
  if (otherDatabases !== 'warn') throw error
  process.stderr.write(`afresh: ${error.message}\n`)
}

interface Changed {
  readonly name: string
  readonly value: string
  readonly wanted: string | undefined
}

/** Ignores deleted variables, which point nowhere. */
function changedIn(lead: TestTarget, now: Variables): Changed[] {
  const wanted = targetVariables(lead)
  return Object.entries(now).flatMap(([name, value]) =>
    value === undefined || isSame(value, wanted[name]) ? [] : [{ name, value, wanted: wanted[name] }],
  )
}

/** Compares only the location in URLs: code may add parameters. */
function isSame(value: string, wanted: string | undefined): boolean {
  if (value === wanted) return true
  if (wanted === undefined || !URL.canParse(value) || !URL.canParse(wanted)) return false
  const [left, other] = [value, wanted].map(locationOf)
  return left === other
}

function locationOf(url: string): string {
  const { host, port, database } = environmentOf(url)?.partsOf(url) ?? {}
  return host === undefined ? url : JSON.stringify([serverName(host), port, database])
}

function shown({ name, value, wanted }: Changed): string {
  return `${name} is ${masked(value)}, and was ${masked(wanted ?? 'not set')}`
}

function listed(lines: readonly string[]): string {
  return lines.map((line) => `\n    ${line}`).join('')
}

/** Where clients inspect the server or create a database. `''`: no database is selected. */
const OF_THE_SERVER = ['', ...WIRE_PROTOCOLS.flatMap(({ systemDatabases }) => systemDatabases)]

function isElsewhere(session: UsedSession, { url, handle }: TestTarget): boolean {
  const { database } = session
  const { otherDatabases } = handle.tests
  if (database === nameIn(url) || runOf(database) === handle.run || wasLeasedHere(database)) return false
  if (Array.isArray(otherDatabases) && otherDatabases.includes(database)) return false
  if (!isServerOf(url, session.server)) return true
  // A server that afresh started contains only databases of this run or of earlier ones.
  return handle.server.kind === 'existing' && !OF_THE_SERVER.includes(database)
}

function isServerOf(url: string, server: string): boolean {
  const { host = 'localhost', port, socket } = environmentOf(url)?.partsOf(url) ?? {}
  if (socket !== undefined) return server.startsWith(socket)
  const separator = server.lastIndexOf(':')
  return server.slice(separator + 1) === port && serverName(server.slice(0, separator)) === serverName(host)
}

/** This machine has several names. */
function serverName(host: string): string {
  return /^(localhost|\[?::1\]?|127\.[\d.]+)$/.test(host) ? 'localhost' : host
}

function nameIn(url: string): string {
  return environmentOf(url)?.partsOf(url).database ?? ''
}

function describe({ protocol, database, server, user }: UsedSession): string {
  const which = database === '' ? 'no database' : `the database "${database}"`
  return `a connection to ${which} of ${protocol.title} at ${server}, as "${user}"`
}

/** The variables that point there. The code has probably read one of them. */
function variablesLeadingTo(
  { database, server }: UsedSession,
  lead: TestTarget,
  environment: NodeJS.ProcessEnv,
): string[] {
  const changed = new Map(
    changedIn(lead, configuredIn(environment, lead.handle)).map((changed) => [changed.name, changed]),
  )
  const leading = Object.entries(environment).filter(
    ([name, value = '']) => MAY_LEAD.test(name) && leadsTo(value, database, server),
  )
  return leading.map(([name, value = '']) => {
    const change = changed.get(name)
    return change === undefined ? `the variable ${name} leads there: ${masked(value)}` : shown(change)
  })
}

/** Names of variables that may configure a database. NODE_ENV may be "dev", as the name of a database may. */
const MAY_LEAD = /db|data|pg|sql|maria|url|uri|dsn|schema/i

function leadsTo(value: string, database: string, server: string): boolean {
  if (database !== '' && value === database) return true
  if (!URL.canParse(value)) return false
  const parts = environmentOf(value)?.partsOf(value)
  return parts !== undefined && (parts.database ?? '') === database && isServerOf(value, server)
}
