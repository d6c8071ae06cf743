import { codeOf, messageOf } from '../../errors.ts'
import type { Claim } from '../claim.ts'
import type { Connection } from '../connection.ts'
import type { Ownership } from '../ownership.ts'
import { MARK_PREFIX } from '../ownership-mark.ts'
import { readCatalog } from './catalog.ts'
import { isInMemory } from './connection.ts'
import { dollar, ident, literal } from './quote.ts'

/**
 * The mark is in the database's comment: a template clone does not copy it, and a restored dump has another
 * oid. A comment of the user's is kept before the mark.
 */
const MARK = `${MARK_PREFIX}[^[:space:]]+`

/** An expression for the mark of the database `d`; NULL if there is none. */
const MARK_OF_DATABASE = `pg_catalog.substring(pg_catalog.shobj_description(d.oid, 'pg_database'), '${MARK}')`

const CURRENT = 'd.datname = pg_catalog.current_database()'

/**
 * An expression for the server's timeline. A physical copy has the original's system identifier and oids, and
 * another timeline from its promotion on. Aurora has no such functions.
 */
const TIMELINE = `CASE WHEN pg_catalog.pg_is_in_recovery() OR pg_catalog.to_regproc('aurora_version') IS NOT NULL THEN '0'
  ELSE pg_catalog.ltrim(pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 8), '0') END`

/** An expression that identifies a database within its server. A renamed database has another identity. */
const identityOf = (oid: string, name: string) =>
  `pg_catalog.concat_ws('.', ${oid}, ${TIMELINE}, pg_catalog.left(pg_catalog.md5(${name}), 8))`

/** An expression for the mark of the database `d`, if it was made for this database on this server. */
export const VALID_MARK = `(SELECT ${MARK_OF_DATABASE} FROM pg_catalog.pg_control_system() AS s
  WHERE pg_catalog.starts_with(${MARK_OF_DATABASE},
    pg_catalog.concat('${MARK_PREFIX}', s.system_identifier, ':', ${identityOf('d.oid', 'd.datname')}, ':')))`

/** The mark of the database `d`, whether valid or not. */
export const ANY_MARK = MARK_OF_DATABASE

/** SQLSTATE of a failed proof. */
export const REFUSED = 'AFR01'

/** The FROM and WHERE clauses that select the sessions with the lock, in any database. */
export function holdersOf(key: string): string {
  return `FROM pg_catalog.pg_locks AS l
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
      AND ((l.classid::bigint << 32) | l.objid::bigint) = ${lockNumber(key)}`
}

export function lockNumber(key: string): string {
  return `pg_catalog.hashtextextended(${literal(`afresh:${key}`)}, 0)`
}

/**
 * PL/pgSQL that raises `REFUSED` unless the database carries the mark and the lease is held. First statement
 * of every transaction that deletes. Finds the comment by its key, since it runs in each reset.
 *
 * @param database its oid, as SQL
 * @param isHolder whether this runs in the session that holds the lease; other sessions look for that
 * session's lock
 */
export function proof(claim: Claim, database: string, { isHolder }: { isHolder: boolean }): string {
  return demandsOf(claim, database, isHolder)
    .map(({ condition, message }) => raiseUnless(condition, message))
    .join('\n  ')
}

/** The conditions of the proof, and the error message of each. */
function demandsOf({ mark, lease }: Claim, database: string, isHolder: boolean) {
  const isMarked = `EXISTS (SELECT FROM pg_catalog.pg_shdescription AS c
    WHERE c.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass AND c.objoid = ${database}
    AND (c.description = ${literal(mark)} OR pg_catalog.substring(c.description, '${MARK}') = ${literal(mark)}))`
  const marked = { condition: isMarked, message: `the database does not carry the mark ${mark}` }
  if (lease === undefined) return [marked]
  const isLeased = isHolder
    ? `pg_catalog.pg_backend_pid() = ${lease.session}`
    : `EXISTS (SELECT ${holdersOf(lease.key)} AND l.pid = ${lease.session})`
  return [marked, { condition: isLeased, message: LEASE_GONE }]
}

const LEASE_GONE = 'the session that leased the database is gone, and its lease with it'

/** The proof as a statement, in another session than the one that holds the lease. */
export function proofStatement(claim: Claim): string {
  return `DO ${dollar(`BEGIN ${proof(claim, CURRENT_DATABASE, { isHolder: false })} END`)}`
}

/** The proof as an expression: true or an error, which the planner cannot evaluate in advance. */
function proofCondition(claim: Claim): string {
  const cases = demandsOf(claim, CURRENT_DATABASE, false).map(
    ({ condition, message }) =>
      `WHEN NOT (${condition}) THEN pg_catalog.set_config('afresh.refused', ${literal(message)}, true)::boolean`,
  )
  return `(SELECT CASE ${cases.join(' ')} ELSE true END)`
}

const AS_CONDITION =
  /^invalid input syntax for type boolean: "(the (?:database does not carry|session that leased).*)"$/

/** Why a proof failed; `undefined` for any other error. */
export function refusalOf(error: unknown): string | undefined {
  return codeOf(error) === REFUSED ? messageOf(error) : AS_CONDITION.exec(messageOf(error))?.[1]
}

function raiseUnless(condition: string, message: string): string {
  return `IF NOT (${condition}) THEN
    RAISE EXCEPTION USING ERRCODE = '${REFUSED}', MESSAGE = ${literal(message)};
  END IF;`
}

/** The oid of the session's database, as SQL. */
const CURRENT_DATABASE = `(SELECT d.oid FROM pg_catalog.pg_database AS d WHERE ${CURRENT})`

export const ownership: Ownership = {
  async read(connection) {
    const [row] = await readCatalog(
      connection,
      `SELECT ${MARK_OF_DATABASE} AS mark FROM pg_catalog.pg_database AS d WHERE ${CURRENT}`,
    )
    return typeof row?.mark === 'string' ? row.mark : undefined
  },

  async expected(connection) {
    const [row] = await readCatalog(connection, expectedSql(CURRENT))
    return { server: String(row?.server), database: String(row?.database) }
  },

  async write(connection, mark) {
    const comment = await otherComment(connection)
    await setComment(connection, comment === undefined ? mark : `${comment}\n${mark}`)
    return mark
  },

  async erase(connection, mark) {
    if ((await ownership.read(connection)) === mark)
      await setComment(connection, await otherComment(connection))
  },

  proof: async (_, claim) => ({
    statement: proofStatement(claim),
    condition: proofCondition(claim),
  }),

  whyRefused: async (_, __, error) => refusalOf(error),

  isPrivate: async (connection) => isInMemory(connection),
}

/**
 * A query for the identity of a database.
 *
 * @param condition selects the database `d`
 * @param name the name that it will have, as SQL
 */
export function expectedSql(condition: string, name = 'd.datname'): string {
  return `SELECT s.system_identifier::text AS server, ${identityOf('d.oid', name)} AS database
    FROM pg_catalog.pg_control_system() AS s, pg_catalog.pg_database AS d WHERE ${condition}`
}

/** The user's own comment on the database. */
async function otherComment(connection: Connection): Promise<string | undefined> {
  const [row] = await readCatalog(
    connection,
    `SELECT pg_catalog.regexp_replace(pg_catalog.shobj_description(d.oid, 'pg_database'), '[[:space:]]*${MARK}', '') AS comment
    FROM pg_catalog.pg_database AS d WHERE ${CURRENT}`,
  )
  return typeof row?.comment === 'string' && row.comment !== '' ? row.comment : undefined
}

async function setComment(connection: Connection, comment: string | undefined): Promise<void> {
  const [row] = await readCatalog(connection, 'SELECT pg_catalog.current_database() AS name')
  const text = comment === undefined ? 'NULL' : literal(comment)
  await connection.query(`COMMENT ON DATABASE ${ident(String(row?.name))} IS ${text}`)
}
