import { codeOf } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import { refuseDrop } from '../ownership-mark.ts'
import { readCatalog } from './catalog.ts'
import { ANY_MARK, VALID_MARK } from './ownership.ts'
import { dollar, ident, literal } from './quote.ts'
import { endReplication } from './replication.ts'
import { urlOf } from './url.ts'

/** object_in_use */
export const IN_USE = '55006'
/** wrong_object_type: a test made the database a template */
const IS_TEMPLATE = '42809'

/**
 * Drops the database, and ends all sessions in it. Does nothing if it does not exist.
 *
 * @throws RefusedError if it does not carry this mark
 */
export async function dropDatabase(connection: Connection, name: string, mark: string): Promise<void> {
  if (!(await mayDrop(connection, name, mark))) return
  try {
    await dropByForce(connection, name)
  } catch (error) {
    if (!(await mayDrop(connection, name, mark))) return
    if (codeOf(error) === IS_TEMPLATE) {
      await connection.query(`ALTER DATABASE ${ident(name)} IS_TEMPLATE false`)
    } else if (codeOf(error) === IN_USE && connection.url !== undefined) {
      await endReplication(connection, name, urlOf(connection.url, name))
    } else throw error
    if (await mayDrop(connection, name, mark)) await dropByForce(connection, name)
  }
}

/** Whether the database exists; throws `RefusedError` if it does not carry this mark. */
async function mayDrop(connection: Connection, name: string, mark: string): Promise<boolean> {
  const [row] = await readCatalog(
    connection,
    `SELECT ${ANY_MARK} AS mark, ${VALID_MARK} IS NOT NULL AS valid
    FROM pg_catalog.pg_database AS d WHERE d.datname = ${literal(name)}`,
  )
  if (row === undefined) return false
  refuseDrop(name, mark, typeof row.mark === 'string' ? row.mark : undefined, row.valid === true)
  return true
}

async function dropByForce(connection: Connection, name: string): Promise<void> {
  await endSessions(connection, name)
  try {
    await connection.query(`DROP DATABASE IF EXISTS ${ident(name)} WITH (FORCE)`)
  } catch (error) {
    if (codeOf(error) !== '42501') throw error
    // FORCE also ends autovacuum, which only a superuser may do. Without FORCE the server ends it.
    await connection.query(`DROP DATABASE IF EXISTS ${ident(name)}`)
  }
}

/**
 * Ends the sessions and background workers in a database that the login role may see and end, and waits up to
 * 5 s for them. Uses the login role because a role set by ALTER ROLE … SET role may not end its sessions.
 * Skips autovacuum, which yields by itself.
 *
 * The server's own waits (DROP and CREATE DATABASE, `pg_terminate_backend` with a timeout) look again only
 * after 100 ms, and a session that a client has just closed takes a few milliseconds to end.
 */
export async function endSessions(connection: Connection, name: string): Promise<void> {
  await readCatalog(
    connection,
    `SET LOCAL ROLE NONE; DO ${dollar(`DECLARE ended int[] := ARRAY(SELECT a.pid
      FROM pg_catalog.pg_stat_activity AS a JOIN pg_catalog.pg_roles AS r ON r.oid = a.usesysid
      WHERE a.datname = ${literal(name)} AND a.backend_type <> 'autovacuum worker' AND a.leader_pid IS NULL
      AND pg_catalog.pg_has_role(r.oid, 'USAGE') AND (NOT r.rolsuper
        OR (SELECT me.rolsuper FROM pg_catalog.pg_roles AS me WHERE me.rolname = current_user)));
    BEGIN
      PERFORM pg_catalog.pg_terminate_backend(e.pid) FROM pg_catalog.unnest(ended) AS e(pid);
      FOR i IN 1 .. 2500 LOOP
        PERFORM pg_catalog.pg_stat_clear_snapshot();
        EXIT WHEN NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity AS a WHERE a.pid = ANY (ended));
        PERFORM pg_catalog.pg_sleep(0.002);
      END LOOP;
    END`)}`,
  )
}
