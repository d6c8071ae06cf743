import { messageOf } from '../../errors.ts'
import type { Connection, Row } from '../connection.ts'
import { DENIED_COLUMN, DENIED_TABLE } from './errno.ts'
import { flavorOf } from './flavor-of.ts'
import { ident, literal } from './quote.ts'
import { batch, errnoOf } from './session.ts'

/** What one account may do to one thing; `GRANT OPTION` is a privilege among them. */
interface Grant {
  readonly account: string
  /** `` `shop`.* ``, `` `shop`.`orders` ``, ``FUNCTION `shop`.`total` `` */
  readonly on: string
  readonly privileges: ReadonlySet<string>
}

/** By account and thing. */
export type Grants = ReadonlyMap<string, Grant>

/** What brought the privileges back, or would have. */
export interface Regranted {
  /** Statements that ran. */
  readonly count: number
  readonly notes: readonly string[]
}

/**
 * The privileges on the current database and what is in it: those of all accounts where this one may read the tables of
 * `mysql`, else its own.
 */
export async function grantsOn(connection: Connection): Promise<Grants> {
  const views = await batch(connection, [...VIEWS])
  const routines = await connection.query(ROUTINES).catch((error: unknown) => {
    if (DENIED_HERE.includes(errnoOf(error))) return []
    throw error
  })
  const grants = new Map<string, { account: string; on: string; privileges: Set<string> }>()
  for (const row of [...views.flatMap(({ rows }) => rows), ...routines.flatMap(eachPrivilege)]) {
    const [account, on] = [accountOf(row), thingOf(row)]
    const key = `${account} ${on}`
    const grant = grants.get(key) ?? { account, on, privileges: new Set<string>() }
    if (row.privilege !== 'USAGE') grant.privileges.add(privilegeOf(row))
    if (row.grantable === 'YES') grant.privileges.add(GRANT_OPTION)
    grants.set(key, grant)
  }
  return grants
}

/** Nobody can have granted anything on a copy before it was made: what others may do to it, a test has let them. */
export async function ownGrantsOf(connection: Connection, grants: Grants): Promise<Grants> {
  const [row] = await connection.query('SELECT CURRENT_USER() AS account')
  const name = String(row?.account)
  const separator = name.lastIndexOf('@')
  const account = accountSql(name.slice(0, separator), name.slice(separator + 1))
  return new Map([...grants].filter(([, grant]) => grant.account === account))
}

/**
 * Puts the privileges back to what they were: they go by the names of database and table, so that no database that is
 * made again brings them back. Notes say what was done, and what could not be.
 *
 * @param proof statements that fail where the database is not ours
 */
export async function regrant(
  connection: Connection,
  before: Grants,
  proof: readonly string[],
): Promise<Regranted> {
  const statements = differences(before, await grantsOn(connection))
  if (statements.length === 0) return { count: 0, notes: [] }
  // GRANT makes accounts, without a password, where MariaDB is not told otherwise.
  const { name } = await flavorOf(connection)
  const settings = name === 'mariadb' ? [{ name: 'sql_mode', value: "'NO_AUTO_CREATE_USER'" }] : []
  const done: string[] = []
  const notes: string[] = []
  for (const sql of statements) {
    try {
      await batch(connection, [...proof, sql], { settings })
      done.push(sql)
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
      notes.push(
        `A test changed privileges on the database, which this account could not put back (${messageOf(error)}). To do so: ${sql}`,
      )
    }
  }
  if (done.length > 0) {
    notes.unshift(`A test changed privileges on the database; they were put back: ${done.join('; ')}`)
  }
  return { count: statements.length, notes }
}

function differences(before: Grants, now: Grants): string[] {
  const gained = [...now].flatMap(([key, { account, on, privileges }]) => {
    const extra = without(privileges, before.get(key)?.privileges)
    return extra.length === 0 ? [] : [`REVOKE ${extra.join(', ')} ON ${on} FROM ${account}`]
  })
  const lost = [...before].flatMap(([key, { account, on, privileges }]) => {
    const missing = without(privileges, now.get(key)?.privileges)
    if (missing.length === 0) return []
    const plain = missing.filter((privilege) => privilege !== GRANT_OPTION)
    const option = missing.length > plain.length ? ' WITH GRANT OPTION' : ''
    return [`GRANT ${plain.length === 0 ? 'USAGE' : plain.join(', ')} ON ${on} TO ${account}${option}`]
  })
  return [...gained, ...lost]
}

function without(some: ReadonlySet<string>, others: ReadonlySet<string> = new Set()): string[] {
  return [...some].filter((name) => !others.has(name))
}

const GRANT_OPTION = 'GRANT OPTION'
const DENIED_HERE: readonly (number | undefined)[] = [DENIED_TABLE, DENIED_COLUMN]

/** In a grant on a whole database its name is a pattern, where `\_` is an underscore. */
const HERE = `REPLACE(REPLACE(table_schema, ${literal('\\_')}, '_'), ${literal('\\%')}, '%') = DATABASE()`

const view = (name: string, columns: string, condition: string) =>
  `SELECT grantee AS grantee, table_schema AS db, privilege_type AS privilege, is_grantable AS grantable, ${columns}
   FROM information_schema.${name} WHERE ${condition}`

const VIEWS = [
  view('schema_privileges', 'NULL AS name, NULL AS `column`', HERE),
  view('table_privileges', 'table_name AS name, NULL AS `column`', 'table_schema = DATABASE()'),
  view('column_privileges', 'table_name AS name, column_name AS `column`', 'table_schema = DATABASE()'),
] as const

/** No view tells of them. */
const ROUTINES = `SELECT user AS user, host AS host, db AS db, routine_type AS kind, routine_name AS name, proc_priv AS privileges
  FROM mysql.procs_priv WHERE db = DATABASE()`

function eachPrivilege(row: Row): Row[] {
  const all = String(row.privileges).toUpperCase().split(',')
  const grantable = all.includes('GRANT') ? 'YES' : 'NO'
  const privileges = all.filter((privilege) => privilege !== 'GRANT' && privilege !== '')
  return (privileges.length === 0 ? ['USAGE'] : privileges).map((privilege) => ({
    ...row,
    privilege,
    grantable,
  }))
}

function privilegeOf({ privilege, column }: Row): string {
  const name = String(privilege)
  return column === null || column === undefined ? name : `${name} (${ident(String(column))})`
}

function thingOf({ kind, db, name }: Row): string {
  const what = name === null ? '*' : ident(String(name))
  return `${kind === undefined ? '' : `${String(kind)} `}${ident(String(db))}.${what}`
}

/** The views put both names in quotes and leave those within as they are. */
function accountOf({ user, host, grantee }: Row): string {
  if (grantee === undefined) return accountSql(String(user), String(host))
  const text = String(grantee)
  const between = text.lastIndexOf("'@'")
  return accountSql(text.slice(1, between), text.slice(between + 3, -1))
}

/** MariaDB's roles have no host. */
function accountSql(user: string, host: string): string {
  if (host !== '') return `${literal(user)}@${literal(host)}`
  return user === 'PUBLIC' ? user : literal(user)
}
