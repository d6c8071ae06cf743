import { randomBytes } from 'node:crypto'
import { AfreshError, codeOf, messageOf, withCleanUp, withUndo } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import { newMark, refuseDrop } from '../ownership-mark.ts'
import { readCatalog } from './catalog.ts'
import { ANY_MARK, expectedSql, holdersOf, lockNumber, VALID_MARK } from './ownership.ts'
import { ident, literal } from './quote.ts'

const PREFIX = 'afresh_new_'

/**
 * A condition on the database `d`: afresh was creating it. The server completes CREATE DATABASE even if the
 * client was killed, and the mark can only be written afterwards. A database is therefore created under a
 * name that proves its origin: it ends in a hash of the server's identifier, unlike names chosen by people or
 * restored from a dump.
 */
export const IS_UNFINISHED = `(d.datname ~ '^${PREFIX}[0-9a-f]{12}_[0-9a-f]{12}$'
  AND pg_catalog.right(d.datname, 12) = (${hashQuery(`pg_catalog.substr(d.datname, ${PREFIX.length + 1}, 12)`)}))`

/** A query for the hash, as the column `hash`. */
function hashQuery(nonce: string): string {
  return `SELECT pg_catalog.left(pg_catalog.md5(pg_catalog.concat('afresh:', s.system_identifier, ':', ${nonce})), 12) AS hash
    FROM pg_catalog.pg_control_system() AS s`
}

/** The lock of the session that creates the database of this temporary name. */
function makingKey(name: string): string {
  return `making:${name}`
}

/**
 * Creates a database that carries its mark from the moment its final name is visible.
 *
 * @param options options of CREATE DATABASE
 * @param rest returns statements for the new database by its temporary name, which run in one transaction
 * with the mark
 * @returns the mark
 */
export async function provision(
  connection: Connection,
  name: string,
  options: string,
  rest: (temporary: string) => Promise<readonly string[]> = async () => [],
): Promise<string> {
  const nonce = randomBytes(6).toString('hex')
  const [hash] = await readCatalog(connection, hashQuery(literal(nonce)))
  const temporary = `${PREFIX}${nonce}_${String(hash?.hash)}`
  const lock = lockNumber(makingKey(temporary))
  await connection.query(`SELECT pg_catalog.pg_advisory_lock(${lock})`)
  return withCleanUp(
    async () => {
      await connection.query(`CREATE DATABASE ${ident(temporary)} ${options}`)
      return withUndo(
        () => finish(connection, temporary, name, rest),
        async () => void (await connection.query(`DROP DATABASE IF EXISTS ${ident(temporary)}`)),
      )
    },
    async () => void (await connection.query(`SELECT pg_catalog.pg_advisory_unlock(${lock})`)),
  )
}

async function finish(
  connection: Connection,
  temporary: string,
  name: string,
  rest: (temporary: string) => Promise<readonly string[]>,
): Promise<string> {
  const [row] = await readCatalog(connection, expectedSql(`d.datname = ${literal(temporary)}`, literal(name)))
  const mark = newMark({ server: String(row?.server), database: String(row?.database) }, 'made')
  const statements = [
    ...(await rest(temporary)),
    `COMMENT ON DATABASE ${ident(temporary)} IS ${literal(mark)}`,
    `ALTER DATABASE ${ident(temporary)} RENAME TO ${ident(name)}`,
  ]
  // One message is one transaction.
  await connection.query(statements.join(';')).catch((cause) => {
    if (codeOf(cause) !== '42P04') throw createError(name, cause) // duplicate_database
    throw new AfreshError('server', `A database "${name}" already exists.`, {
      next: 'Drop it if it is no longer needed, or choose another `project`.',
      cause,
    })
  })
  return mark
}

/** See `Databases.reopen`. */
export async function reopenDatabase(
  connection: Connection,
  template: string,
  name: string,
): Promise<string | undefined> {
  const isTemplate = `d.datname = ${literal(template)}`
  const [found] = await readCatalog(
    connection,
    `SELECT ${ANY_MARK} AS mark, ${VALID_MARK} IS NOT NULL AS valid, EXISTS (
       SELECT FROM pg_catalog.pg_db_role_setting AS r WHERE r.setdatabase = d.oid) AS settings
     FROM pg_catalog.pg_database AS d WHERE ${isTemplate}`,
  )
  const mark = typeof found?.mark === 'string' ? found.mark : undefined
  refuseDrop(template, mark ?? '', mark, found?.valid === true)
  if (found?.settings === true) return undefined
  const [row] = await readCatalog(connection, expectedSql(isTemplate, literal(name)))
  const own = newMark({ server: String(row?.server), database: String(row?.database) }, 'made')
  const statements = [
    `ALTER DATABASE ${ident(template)} RENAME TO ${ident(name)}`,
    `ALTER DATABASE ${ident(name)} ALLOW_CONNECTIONS true`,
    `COMMENT ON DATABASE ${ident(name)} IS ${literal(own)}`,
  ]
  // One message is one transaction.
  await connection.query(statements.join(';'))
  return own
}

/** Adds what to do, for known causes. */
export function createError(name: string, cause: unknown): unknown {
  const next =
    codeOf(cause) === '55006' // object_in_use
      ? 'Close the connections to the database that it names (psql, a database browser, a monitor) and start again.'
      : codeOf(cause) === '42501' // insufficient_privilege
        ? 'Grant the role CREATEDB; only the owner of a database that is not a template may copy it, or a superuser.'
        : undefined
  if (next === undefined) return cause
  return new AfreshError('server', `The database "${name}" could not be made: ${messageOf(cause)}.`, {
    next,
    cause,
  })
}

/**
 * Drops the databases that killed processes left incomplete.
 *
 * @returns the failures, as sentences
 */
export async function dropUnfinished(connection: Connection): Promise<string[]> {
  const problems: string[] = []
  const rows = await readCatalog(
    connection,
    `SELECT d.datname AS name FROM pg_catalog.pg_database AS d
    WHERE ${IS_UNFINISHED} AND pg_catalog.pg_has_role(d.datdba, 'USAGE')`,
  )
  for (const { name } of rows) {
    const key = makingKey(String(name))
    const [holder] = await readCatalog(connection, `SELECT EXISTS (SELECT ${holdersOf(key)}) AS locked`)
    if (holder?.locked === true) continue
    try {
      await connection.query(`DROP DATABASE IF EXISTS ${ident(String(name))}`)
    } catch (error) {
      problems.push(
        `${String(name)}, which a killed process was making, could not be dropped: ${messageOf(error)}`,
      )
    }
  }
  return problems
}
