import type { Connection, Ownership } from '../engine.ts'
import { isInMemory } from './connection.ts'
import { ident, literal } from './quote.ts'

/**
 * The mark stands in the database's comment: a template clone does not copy it and a restored dump has another
 * oid. A comment of the user's is kept before it.
 */
const MARK = 'afresh:v1:[^[:space:]]+'

/** An expression for the mark of the database that the session is in; NULL where there is none. */
export const MARK_EXPRESSION = `(SELECT pg_catalog.substring(pg_catalog.shobj_description(d.oid, 'pg_database'), '${MARK}')
  FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())`

/** A query that has a row if the database with this oid carries this mark: for each reset, by the comment's key. */
export function carries(mark: string, database: string): string {
  return `SELECT FROM pg_catalog.pg_shdescription AS c
    WHERE c.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass AND c.objoid = ${database}
    AND (c.description = ${literal(mark)} OR pg_catalog.substring(c.description, '${MARK}') = ${literal(mark)})`
}

export const ownership: Ownership = {
  async read(connection) {
    const [row] = await connection.query(`SELECT ${MARK_EXPRESSION} AS mark`)
    return typeof row?.mark === 'string' ? row.mark : undefined
  },

  async expected(connection) {
    const [row] = await connection.query(`SELECT s.system_identifier::text AS server, d.oid::text AS database
      FROM pg_catalog.pg_control_system() s, pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()`)
    return { server: String(row?.server), database: String(row?.database) }
  },

  async write(connection, mark) {
    const comment = await otherComment(connection)
    await setComment(connection, comment === undefined ? mark : `${comment}\n${mark}`)
  },

  async erase(connection, mark) {
    const [row] = await connection.query(`SELECT ${MARK_EXPRESSION} AS mark`)
    if (row?.mark === mark) await setComment(connection, await otherComment(connection))
  },

  isPrivate: async (connection) => isInMemory(connection),
}

/** What the user says of the database. */
async function otherComment(connection: Connection): Promise<string | undefined> {
  const [row] = await connection.query(`SELECT pg_catalog.regexp_replace(
    pg_catalog.shobj_description(d.oid, 'pg_database'), '\\s*${MARK}', '') AS comment
    FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()`)
  return typeof row?.comment === 'string' && row.comment !== '' ? row.comment : undefined
}

async function setComment(connection: Connection, comment: string | undefined): Promise<void> {
  const [row] = await connection.query('SELECT current_database() AS name')
  const text = comment === undefined ? 'NULL' : literal(comment)
  await connection.query(`COMMENT ON DATABASE ${ident(String(row?.name))} IS ${text}`)
}
