import { confirmationOf, readMark, serverFingerprint } from '../database/guard.ts'
import { open } from '../engine/registry.ts'
import { withCleanUp } from '../errors.ts'
import { type AvailableServers, availableServers } from '../server/pick-server.ts'
import { type Driver, installedDrivers, SERVER_DRIVERS } from './optional-packages.ts'

export interface Diagnosis {
  readonly node: { readonly version: string; readonly supported: boolean }
  readonly servers: AvailableServers
  readonly drivers: readonly Driver[]
  /** The detectors, and where each is available. */
  readonly detectors: readonly { readonly name: string; readonly where: string }[]
  /** The server and database of the URL, if one was given. */
  readonly database: DatabaseDiagnosis | undefined
  /** What is missing, and how to get it. */
  readonly problems: readonly string[]
  /** Whether afresh can use a server: that of the URL, otherwise any. */
  readonly usable: boolean
}

export interface DatabaseDiagnosis {
  readonly engine: string
  readonly database: string
  /** The server's version; `undefined` if the database is a file. */
  readonly version: string | undefined
  /** `host:port#system_identifier`, for the option `allow`. */
  readonly fingerprint: string | undefined
  /** `NAME#SYSTEM_IDENTIFIER`, for `afresh adopt --confirm`. */
  readonly confirmation: string
  readonly standby: boolean
  readonly mayCreateDatabases: boolean
  /** Whether the session may switch foreign keys and triggers off, which makes resets fastest. */
  readonly mayDisableChecks: boolean
  readonly tables: number
  readonly tablesWithRows: number
  /** Whether the database carries afresh's mark. */
  readonly marked: boolean
  /** Sessions of other clients, because of which afresh would refuse to change the database. */
  readonly sessions: readonly string[]
}

const MINIMUM_NODE = [20, 19] as const

/**
 * Finds out what is available on this machine. Starts and changes nothing.
 *
 * @throws AfreshError `usage`, `server` for a URL that cannot be used
 */
export async function runDoctor(cwd: string, url?: string): Promise<Diagnosis> {
  const found = url === undefined ? undefined : await diagnoseDatabase(url)
  const database = found?.database
  const servers = await availableServers()
  const drivers = installedDrivers(cwd)
  const supported = isSupported(process.versions.node)
  const hasServer = servers.container.available || servers.embedded.available
  const problems = [
    ...(supported
      ? []
      : [`Node ${process.version} is too old: afresh needs ${MINIMUM_NODE.join('.')} or later.`]),
    ...(servers.container.problem === undefined ? [] : [`containers: ${servers.container.problem}`]),
    ...(servers.embedded.problem === undefined ? [] : [`embedded PostgreSQL: ${servers.embedded.problem}`]),
    ...driverProblems(drivers),
    ...(found === undefined ? [] : databaseProblems(found)),
  ]
  const usable = supported && (database === undefined ? hasServer : !database.standby)
  const detectors = [
    {
      name: 'wal',
      where:
        'PostgreSQL 16 and later as a superuser, with the contrib module pg_walinspect: cost depends on what the test wrote',
    },
    {
      name: 'counters',
      where:
        'MySQL, and MariaDB with userstat or performance_schema: cost depends on what the test wrote. SQLite: recognizes a database that was not written to',
    },
    { name: 'scan', where: 'every engine: looks at each table and sequence in one round trip' },
  ]
  return {
    node: { version: process.version, supported },
    servers,
    drivers,
    detectors,
    database,
    problems,
    usable,
  }
}

function isSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor >= MINIMUM_NODE[1])
}

function driverProblems(drivers: readonly Driver[]): string[] {
  const isMissing = (name: string) => drivers.find((driver) => driver.package === name)?.version === undefined
  return [
    ...SERVER_DRIVERS.filter(({ name }) => isMissing(name)).map(
      ({ name, engines }) =>
        `${engines} cannot be reached without its driver: npm install --save-dev ${name}`,
    ),
    ...(isMissing('node:sqlite') && isMissing('better-sqlite3')
      ? ['SQLite needs Node 22.13 or later, or: npm install --save-dev better-sqlite3']
      : []),
  ]
}

function databaseProblems({ database, createGrant }: FoundDatabase): string[] {
  const { standby, mayCreateDatabases, mayDisableChecks, sessions } = database
  return [
    ...(standby ? ['The server is a standby: it takes no writes.'] : []),
    ...(mayCreateDatabases
      ? []
      : [`The role may not create databases, which createHarness needs. Grant it: ${createGrant}`]),
    ...(mayDisableChecks
      ? []
      : [
          'The role may not disable foreign keys: resets delete rows in order, children first, and take a little longer.',
        ]),
    ...(sessions.length > 0 ? [`Other sessions are connected to the database: ${sessions.join('; ')}`] : []),
  ]
}

interface FoundDatabase {
  readonly database: DatabaseDiagnosis
  /** The statement that permits a role to create databases; `undefined` if databases are files. */
  readonly createGrant: string | undefined
}

async function diagnoseDatabase(url: string): Promise<FoundDatabase> {
  const { engine, connection } = await open(url)
  return withCleanUp(
    async () => {
      const facts = await engine.databases?.facts(connection)
      const schema = await engine.introspect(connection)
      const survey = await engine.inspectState(connection, schema)
      const identity = await engine.ownership.expected(connection)
      const database = {
        engine: engine.title,
        database: connection.database,
        version: facts?.version,
        fingerprint: facts && connection.endpoint && serverFingerprint(connection.endpoint, facts),
        confirmation: confirmationOf(connection, identity.server),
        standby: facts?.standby ?? false,
        mayCreateDatabases: facts?.mayCreateDatabases ?? true,
        mayDisableChecks: survey.mayDisableChecks,
        tables: schema.tables.length,
        tablesWithRows: survey.populated.length,
        marked: (await readMark({ engine, connection })).isForGood,
        sessions: (await engine.databases?.sessions(connection, connection.database)) ?? [],
      }
      return { database, createGrant: engine.databases?.createGrant }
    },
    () => connection.close(),
  )
}
