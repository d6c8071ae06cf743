import { messageOf, withCleanUp } from '../../errors.ts'
import type { Connection, Row } from '../connection.ts'
import {
  type ForeignRowsOptions,
  LOOK_LOCK_MS,
  type LookBudget,
  lookBudget,
  NO_URL,
} from '../foreign-rows.ts'
import { isMade, isMarkOf, MARK_PREFIX } from '../ownership-mark.ts'
import { connect } from './connection.ts'
import { MARK_TABLE } from './introspect.ts'
import { identityOf } from './ownership.ts'
import { tableIn } from './quote.ts'

/** Engines whose tables are on another server, or in files outside of the database. */
const ELSEWHERE = /^(federated|connect|spider|s3)$/i

export interface Made {
  /** The server's own databases, and afresh's registry. */
  readonly system: readonly string[]
  /** The marks of databases that afresh created: columns `name`, `mark`. */
  registered(connection: Connection): Promise<Row[]>
}

/**
 * Searches the databases that afresh did not create for a row, read-only, up to the first one.
 *
 * @returns the evidence: where there is a row, or what could not be read; `undefined` if every table is empty
 */
export async function foreignRows(
  connection: Connection,
  made: Made,
  options: ForeignRowsOptions = {},
): Promise<string | undefined> {
  const { url } = connection
  if (url === undefined) return NO_URL
  const budget = lookBudget()
  const server = await serverOf(connection)
  const session = await connect(url, { timeoutMs: budget.leftMs() })
  return withCleanUp(
    async () => {
      await session.query(settings(budget))
      const found = await serverOf(session)
      // A proxy, or a name with several addresses, may lead to another server.
      if (found !== server) return `its URL leads to the server ${found}, too`
      return (await hidden(session)) ?? (await searchDatabases(session, { server, made, budget, ...options }))
    },
    () => session.close(),
  )
}

/** MariaDB skips the comment for MySQL 8, and MySQL skips the comment for MariaDB. */
function settings(budget: LookBudget): string {
  return `SET SESSION TRANSACTION READ ONLY; SET SESSION lock_wait_timeout = ${Math.ceil(LOOK_LOCK_MS / 1000)}
    /*!80000 , max_execution_time = ${budget.leftMs()} */ /*M!100300 , max_statement_time = ${budget.leftMs() / 1000} */`
}

async function serverOf(connection: Connection): Promise<string> {
  const [row] = await connection.query(`SELECT ${await identityOf(connection)} AS server`)
  return String(row?.server)
}

/** The catalog hides what a user may not read: to a restricted user, missing rows prove nothing. */
async function hidden(session: Connection): Promise<string | undefined> {
  const grants = (await session.query('SHOW GRANTS')).map((row) => String(Object.values(row)[0]))
  const readsAll = grants.some((grant) => {
    const privileges = /^GRANT (.*?) ON \*\.\* TO /.exec(grant)?.[1]?.split(', ') ?? []
    return privileges.includes('SELECT') || privileges.includes('ALL PRIVILEGES')
  })
  const isRestricted = grants.some((grant) => /^(REVOKE|DENY) /.test(grant))
  return readsAll && !isRestricted
    ? undefined
    : 'the user may not read every database (GRANT SELECT ON *.*), and so does not see all that there are'
}

interface SearchInput extends ForeignRowsOptions {
  readonly server: string
  readonly made: Made
  readonly budget: LookBudget
}

async function searchDatabases(
  session: Connection,
  { server, made, budget, except }: SearchInput,
): Promise<string | undefined> {
  // Other runs create and drop databases meanwhile: a mark is written before its database, and deleted later.
  const before = await made.registered(session)
  const schemata = await session.query('SELECT s.schema_name AS name FROM information_schema.schemata AS s')
  const names = schemata.map(({ name }) => String(name))
  const own = new Set(
    [...before, ...(await made.registered(session))].flatMap(({ name, mark }) => {
      const identity = { server, database: encodeURIComponent(String(name)) }
      return isMade(String(mark)) && isMarkOf(String(mark), identity) ? [String(name)] : []
    }),
  )
  const foreign = names.filter((name) => name !== except && !own.has(name) && !isSystem(name, made))
  const tooMany = budget.databases(foreign.length)
  if (tooMany !== undefined) return tooMany
  for (const name of foreign) {
    const found = await firstRow(session, name, budget)
    if (found !== undefined) return found
  }
  return undefined
}

function isSystem(name: string, { system }: Made): boolean {
  return system.includes(name.toLowerCase())
}

async function firstRow(
  session: Connection,
  database: string,
  budget: LookBudget,
): Promise<string | undefined> {
  const tables = await session.query(
    `SELECT t.table_name AS name, t.table_type AS type, t.engine AS engine FROM information_schema.tables AS t
    WHERE t.table_schema = ? AND t.table_type NOT IN ('VIEW', 'SYSTEM VIEW', 'SEQUENCE')`,
    [database],
  )
  const tooMany = budget.tables(tables.length)
  if (tooMany !== undefined) return tooMany
  for (const row of tables) {
    const late = budget.time()
    if (late !== undefined) return late
    const label = `"${row.name}" in the database "${database}"`
    if (ELSEWHERE.test(String(row.engine))) return `the table ${label} reads from elsewhere (${row.engine})`
    try {
      if ((await session.query(rowOf(database, row))).length > 0) return `the table ${label} has rows`
    } catch (error) {
      return `the table ${label} cannot be inspected: ${messageOf(error)}`
    }
  }
  return undefined
}

/** Selects a row if there is one, including history rows, excluding the mark of an adopted database. */
function rowOf(database: string, { name, type }: Row): string {
  const table = tableIn(database, String(name))
  if (name === MARK_TABLE)
    return `SELECT 1 AS one FROM ${table} WHERE mark NOT LIKE '${MARK_PREFIX}%' LIMIT 1`
  return `SELECT 1 AS one FROM ${table}${type === 'SYSTEM VERSIONED' ? ' FOR SYSTEM_TIME ALL' : ''} LIMIT 1`
}
