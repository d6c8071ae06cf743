import { messageOf } from '../../errors.ts'
import type { Connection, Row } from '../connection.ts'
import { DENIED_COLUMN, DENIED_TABLE } from './errno.ts'
import { flavorOf } from './flavor-of.ts'
import { ident, literal } from './quote.ts'
import { BatchError, batch, errnoOf } from './session.ts'

/** Privileges of one account on one object; `GRANT OPTION` is one of the privileges. */
interface Grant {
  readonly account: string
  /** `` `shop`.* ``, `` `shop`.`orders` ``, ``FUNCTION `shop`.`total` `` */
  readonly on: string
  readonly privileges: ReadonlySet<string>
}

/** By account and object. */
export type Grants = ReadonlyMap<string, Grant>

/** The result of restoring privileges. */
export interface Regranted {
  /** Number of GRANT and REVOKE statements, including those that failed. */
  readonly count: number
  readonly notes: readonly string[]
}

/**
 * The privileges on the current database and its objects: of all accounts if this account may read the tables
 * of `mysql`, otherwise its own.
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

/** The grants of this account: no grant on a copy can precede the copy, so a test granted the others. */
export async function ownGrantsOf(connection: Connection, grants: Grants): Promise<Grants> {
  const [row] = await connection.query('SELECT CURRENT_USER() AS account')
  const name = String(row?.account)
  const separator = name.lastIndexOf('@')
  const account = accountSql(name.slice(0, separator), name.slice(separator + 1))
  return new Map([...grants].filter(([, grant]) => grant.account === account))
}

/**
 * Restores privileges. They belong to the names of database and table, so that creating a database again does
 * not restore them. Notes report the statements that ran, and those that failed.
 *
 * @param proof statements that fail if the database is not afresh's to change
 * @throws BatchError if the proof fails, or the connection is lost
 */
export async function regrant(
  connection: Connection,
  before: Grants,
  proof: readonly string[],
): Promise<Regranted> {
  const statements = differences(before, await grantsOn(connection))
  if (statements.length === 0) return { count: 0, notes: [] }
  // Otherwise GRANT on MariaDB creates missing accounts, without a password.
  const { name } = await flavorOf(connection)
  const settings = name === 'mariadb' ? [{ name: 'sql_mode', value: "'NO_AUTO_CREATE_USER'" }] : []
  const done: string[] = []
  const notes: string[] = []
  for (const sql of statements) {
    try {
      await batch(connection, [...proof, sql], { settings })
      done.push(sql)
    } catch (error) {
      const isOfStatement = error instanceof BatchError && error.index === proof.length
      if (!isOfStatement) throw error
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

/** In a grant on a whole database, the name is a pattern: `\_` is an underscore. */
const HERE = `REPLACE(REPLACE(table_schema, ${literal('\\_')}, '_'), ${literal('\\%')}, '%') = DATABASE()`

const view = (name: string, columns: string, condition: string) =>
  `SELECT grantee AS grantee, table_schema AS db, privilege_type AS privilege, is_grantable AS grantable, ${columns}
   FROM information_schema.${name} WHERE ${condition}`

const VIEWS = [
  view('schema_privileges', 'NULL AS name, NULL AS `column`', HERE),
  view('table_privileges', 'table_name AS name, NULL AS `column`', 'table_schema = DATABASE()'),
  view('column_privileges', 'table_name AS name, column_name AS `column`', 'table_schema = DATABASE()'),
] as const

/** No view of information_schema shows these. */
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
  const object = name === null ? '*' : ident(String(name))
  return `${kind === undefined ? '' : `${String(kind)} `}${ident(String(db))}.${object}`
}

/** The views quote both names, without escaping quotes inside. */
function accountOf({ user, host, grantee }: Row): string {
  if (grantee === undefined) return accountSql(String(user), String(host))
  const text = String(grantee)
  const between = text.lastIndexOf("'@'")
  return accountSql(text.slice(1, between), text.slice(between + 3, -1))
}

/** MariaDB roles have no host. */
function accountSql(user: string, host: string): string {
  if (host !== '') return `${literal(user)}@${literal(host)}`
  return user === 'PUBLIC' ? user : literal(user)
}
