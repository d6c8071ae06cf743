import { createHash } from 'node:crypto'
import { AfreshError, messageOf } from '../../errors.ts'
import type { Claim } from '../claim.ts'
import type { Connection } from '../connection.ts'
import type { Ownership } from '../ownership.ts'
import { MARK_PREFIX } from '../ownership-mark.ts'
import { repeatDeadlocked } from './deadlocks.ts'
import { NO_DATABASE, NO_TABLE, NOT_ONE_ROW } from './errno.ts'
import { flavorOf } from './flavor-of.ts'
import { MARK_TABLE } from './introspect.ts'
import { ident, literal } from './quote.ts'
import { errnoOf } from './session.ts'
import { FAIL } from './statements.ts'

/**
 * The marks of databases that afresh created are in a separate database, so that the user's schema
 * contains nothing of afresh. An adopted database carries its own mark: it may outlive the registry.
 */
export const REGISTRY = 'afresh_registry'
export const MARKS = `${REGISTRY}.marks`
/** Copies of baseline rows, for databases without a template. */
export const BASELINE_PREFIX = 'afresh_baseline_'

const CREATE_REGISTRY = [
  `CREATE DATABASE IF NOT EXISTS ${REGISTRY} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  `CREATE TABLE IF NOT EXISTS ${MARKS} (database_name VARCHAR(64) PRIMARY KEY, mark VARCHAR(1000) NOT NULL,
    frozen_at TIMESTAMP(6) NULL) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
]

/**
 * Creates the registry if it is missing. Otherwise it only reads: CREATE DATABASE locks a database that exists,
 * and other workers count CREATE TABLE as a changed definition.
 *
 * @param table a statement that creates one more table in it, unless it exists
 * @throws AfreshError `server` if the user may not
 */
export async function createRegistry(connection: Connection, table?: string): Promise<void> {
  try {
    await repeatDeadlocked(async () => {
      if (!(await registryExists(connection))) await connection.query(CREATE_REGISTRY.join(';\n'))
      if (table !== undefined) await connection.query(table)
    })
  } catch (cause) {
    throw new AfreshError('server', `afresh has no place for its own records: ${messageOf(cause)}.`, {
      next: 'GRANT ALL ON `afresh\\_%`.* TO the user: afresh keeps what it needs in databases of its own.',
      cause,
    })
  }
}

async function registryExists(connection: Connection): Promise<boolean> {
  try {
    await connection.query(`SELECT 1 FROM ${MARKS} LIMIT 0`)
    return true
  } catch (error) {
    if (!isMissing(error)) throw error
    return false
  }
}

function isMissing(error: unknown): boolean {
  return errnoOf(error) === NO_DATABASE || errnoOf(error) === NO_TABLE
}

/** Whether afresh created this database, judged by its name. */
export function isMadeByAfresh(database: string): boolean {
  return database.startsWith('afresh_')
}

export const ownership: Ownership = {
  async read(connection) {
    const database = await currentDatabase(connection)
    try {
      const [row] = await repeatDeadlocked(() => connection.query(`SELECT ${markOf(database)} AS mark`))
      return typeof row?.mark === 'string' ? row.mark : undefined
    } catch (error) {
      if (!isMissing(error)) throw error
      return undefined
    }
  },
  async expected(connection) {
    const [row] = await connection.query(`SELECT ${await identityOf(connection)} AS server`)
    const name = await currentDatabase(connection)
    const since = await markedSince(connection, name)
    const database = encodeURIComponent(name)
    return { server: String(row?.server), database: since === undefined ? database : `${database}@${since}` }
  },
  write: async (connection, mark) => writeMark(connection, await currentDatabase(connection), mark),
  async erase(connection, mark) {
    const database = await currentDatabase(connection)
    if ((await ownership.read(connection)) !== mark) return
    await connection.query(
      isMadeByAfresh(database)
        ? `DELETE FROM ${MARKS} WHERE database_name = ${literal(database)} AND mark = ${literal(mark)}`
        : `DROP TABLE ${ident(database)}.${ident(MARK_TABLE)}`,
    )
  },
  async proof(connection, claim) {
    return guard(connection, await currentDatabase(connection), claim, { current: true })
  },
  async whyRefused(connection, claim, error) {
    const isOfProof = [NOT_ONE_ROW, NO_TABLE, NO_DATABASE].some((errno) => errno === errnoOf(error))
    return isOfProof ? whyUnproved(connection, claim) : undefined
  },
  isPrivate: async () => false,
}

/** Why a claim no longer holds, as a phrase. */
export async function whyUnproved(connection: Connection, { mark, lease }: Claim): Promise<string> {
  const found = await ownership.read(connection).catch(() => undefined)
  return found === mark && lease !== undefined
    ? 'the session that leased the database is gone, and its lease with it'
    : `the database does not carry the mark ${mark}`
}

/** Writes the mark and returns it as it was stored. */
async function writeMark(connection: Connection, database: string, mark: string): Promise<string> {
  if (isMadeByAfresh(database)) {
    await writeRegisteredMark(connection, database, mark)
    return mark
  }
  const table = `${ident(database)}.${ident(MARK_TABLE)}`
  await connection.query(`CREATE TABLE IF NOT EXISTS ${table} (id TINYINT PRIMARY KEY, mark VARCHAR(1000) NOT NULL)
    ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin COMMENT 'afresh may empty this database'`)
  const since = await markedSince(connection, database)
  const name = encodeURIComponent(database)
  const written = since === undefined ? mark : mark.replace(`:${name}:`, `:${name}@${since}:`)
  await connection.query(`REPLACE INTO ${table} (id, mark) VALUES (1, ${literal(written)})`)
  return written
}

/**
 * Creation time of the table with the mark, if two servers may have the same identity: in a restored dump it
 * differs. `undefined` if the identity of the server is sufficient.
 */
async function markedSince(connection: Connection, database: string): Promise<string | undefined> {
  if (isMadeByAfresh(database) || !(await flavorOf(connection)).identityRepeats) return undefined
  const [row] = await connection.query(
    `SELECT UNIX_TIMESTAMP(create_time) AS since FROM information_schema.tables
     WHERE table_schema = ${literal(database)} AND table_name = ${literal(MARK_TABLE)}`,
  )
  return row?.since === undefined || row.since === null ? undefined : String(Number(row.since))
}

/** The name of the database as the mark states it; the plain name if the mark is not of this database. */
function namedIn(mark: string, database: string): string {
  const name = encodeURIComponent(database)
  const [, named = ''] = mark.slice(MARK_PREFIX.length).split(':')
  return named.startsWith(`${name}@`) ? named : name
}

export async function writeRegisteredMark(
  connection: Connection,
  database: string,
  mark: string,
): Promise<void> {
  const sql = `REPLACE INTO ${MARKS} (database_name, mark, frozen_at) VALUES (${literal(database)}, ${literal(mark)}, NULL)`
  const write = () => repeatDeadlocked(() => connection.query(sql))
  try {
    await write()
  } catch (error) {
    if (!isMissing(error)) throw error
    await createRegistry(connection)
    await write()
  }
}

/** A statement that deletes the mark of a database that afresh created, whatever the mark is. */
export function deleteMarkSql(database: string): string {
  return `DELETE FROM ${MARKS} WHERE database_name = ${literal(database)}`
}

/** SQL expression: the mark, or NULL. Raises `NO_TABLE` or `NO_DATABASE` if there never was a mark. */
function markOf(database: string): string {
  return isMadeByAfresh(database)
    ? `(SELECT mark FROM ${MARKS} WHERE database_name = ${literal(database)})`
    : `(SELECT mark FROM ${ident(database)}.${ident(MARK_TABLE)} WHERE id = 1)`
}

/**
 * A statement that fails unless the database carries exactly this mark, the mark is of this server and
 * database, and the lease is held. It comes first in every batch that destroys anything: if it fails, nothing
 * after it runs.
 *
 * @param options `current`: the session must be in the database as well
 */
export async function guard(
  connection: Connection,
  database: string,
  claim: Claim,
  options: { readonly current: boolean },
): Promise<string> {
  return `SELECT ${await markCheckSql(connection, database, claim, options)} AS owned`
}

/** The check of `guard` as an SQL expression: 1, or an error. */
export async function markCheckSql(
  connection: Connection,
  database: string,
  { mark, lease }: Claim,
  { current }: { readonly current: boolean },
): Promise<string> {
  const prefix = `CONCAT('${MARK_PREFIX}', ${await identityOf(connection)}, ${literal(`:${namedIn(mark, database)}:`)})`
  const conditions = [
    `CAST(${markOf(database)} AS BINARY) = CAST(${literal(mark)} AS BINARY)`,
    // The mark begins with it.
    `LOCATE(CAST(${prefix} AS BINARY), CAST(${literal(mark)} AS BINARY)) = 1`,
    ...(current ? [`CAST(DATABASE() AS BINARY) = CAST(${literal(database)} AS BINARY)`] : []),
    ...(lease === undefined ? [] : [`IS_USED_LOCK(${lockName(lease.key)}) = ${lease.session}`]),
  ]
  return `IF(${conditions.join(' AND ')}, 1, ${FAIL})`
}

/** GET_LOCK takes at most 64 characters, and ignores case. */
export function lockName(key: string): string {
  return literal(`afresh:${shortHash(key)}`)
}

const identities = new WeakMap<Connection, Promise<string>>()

/** SQL expression of the server's identity. */
export function identityOf(connection: Connection): Promise<string> {
  const found = identities.get(connection) ?? findIdentity(connection)
  identities.set(connection, found)
  return found
}

async function findIdentity(connection: Connection): Promise<string> {
  const flavor = await flavorOf(connection)
  return flavor.identity(
    flavor.identityProbe === undefined ? [] : await connection.query(flavor.identityProbe),
  )
}

/** The current database as the server reports it, whatever the URL says. */
export async function currentDatabase(connection: Connection): Promise<string> {
  const [row] = await connection.query('SELECT DATABASE() AS name')
  if (typeof row?.name === 'string') return row.name
  throw new AfreshError('usage', 'The connection is in no database.', {
    next: 'Name the database in the URL: mysql://user:password@host:3306/database.',
  })
}

export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
