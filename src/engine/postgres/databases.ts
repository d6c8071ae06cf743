import { AfreshError, codeOf, messageOf, RefusedError, withUndo } from '../../errors.ts'
import type { Connection, Databases, Row } from '../engine.ts'
import { OWN_NAMESPACES } from './introspect.ts'
import { ident, literal } from './quote.ts'

/** From here on copying files is cheaper than writing every block to the WAL: 64 MiB. */
const FILE_COPY_FROM_BYTES = 64 * 1024 * 1024

/** Of a disk that files are read from and written to; from memory to memory it was 1,700 MB/s. */
const COPY_BYTES_PER_SECOND = 100e6

const MARK = `pg_catalog.substring(pg_catalog.shobj_description(d.oid, 'pg_database'), 'afresh:v1:[^[:space:]]+')`

/**
 * The mark, if it was made for this very database on this very server (a restored dump has another oid) and the
 * database is this role's to drop.
 */
const VALID_MARK = `(SELECT ${MARK} FROM pg_catalog.pg_control_system() s
  WHERE pg_catalog.starts_with(${MARK}, 'afresh:v1:' || s.system_identifier || ':' || d.oid || ':')
    AND pg_catalog.pg_has_role(d.datdba, 'USAGE'))`

export const databases: Databases = {
  maxNameBytes: 63,

  async facts(connection) {
    const [row] = await connection.query(`SELECT pg_catalog.current_setting('server_version') AS version,
      (SELECT system_identifier::text FROM pg_catalog.pg_control_system()) AS identifier,
      pg_catalog.pg_is_in_recovery() AS standby,
      (SELECT r.rolsuper OR r.rolcreatedb FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) AS may_create`)
    return {
      version: String(row?.version),
      systemIdentifier: String(row?.identifier),
      standby: row?.standby === true,
      mayCreateDatabases: row?.may_create === true,
    }
  },

  urlOf(url, database) {
    const other = new URL(url)
    other.pathname = `/${encodeURIComponent(database)}`
    return other.toString()
  },

  async list(connection) {
    const rows =
      await connection.query(`SELECT d.datname AS name, d.datallowconn AS open, ${VALID_MARK} AS mark
      FROM pg_catalog.pg_database d WHERE d.datname NOT IN ('template0', 'template1') ORDER BY d.oid`)
    return rows.map(({ name, open, mark }) => ({
      name: String(name),
      mark: typeof mark === 'string' ? mark : undefined,
      frozen: open === false,
    }))
  },

  async create(connection, name) {
    await connection.query(`CREATE DATABASE ${ident(name)}`)
  },

  async clone(connection, template, name) {
    const [source] =
      await connection.query(`SELECT d.oid::text AS oid, pg_catalog.pg_database_size(d.oid)::text AS bytes
      FROM pg_catalog.pg_database d WHERE d.datname = ${literal(template)}`)
    const strategy = Number(source?.bytes) > FILE_COPY_FROM_BYTES ? 'FILE_COPY' : 'WAL_LOG'
    try {
      await connection.query(
        `CREATE DATABASE ${ident(name)} TEMPLATE ${ident(template)} STRATEGY ${strategy}`,
      )
    } catch (cause) {
      throw cloneError(template, name, cause)
    }
    await withUndo(
      async () => {
        const extras = [
          ...(await settingsOf(connection, template, name)),
          ...(await grantsOf(connection, template, name)),
        ]
        if (extras.length > 0) await connection.query(extras.join(';'))
      },
      async () => void (await connection.query(`DROP DATABASE IF EXISTS ${ident(name)}`)),
    )
  },

  async extent(connection) {
    const [row] = await connection.query(
      `SELECT pg_catalog.pg_database_size(pg_catalog.current_database())::text AS bytes, (
        SELECT coalesce(sum(c.reltuples) FILTER (WHERE c.reltuples > 0), 0)::bigint::text FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'm') AND ${OWN_NAMESPACES}) AS rows`,
    )
    const bytes = Number(row?.bytes)
    return { bytes, rows: Number(row?.rows), seconds: bytes / COPY_BYTES_PER_SECOND }
  },

  async freeze(connection, name) {
    await connection.query(`ALTER DATABASE ${ident(name)} ALLOW_CONNECTIONS false`)
    // A migration's pool may still be there, and nobody can copy a database that somebody is connected to. Autovacuum
    // gives way by itself, and is not ours to end.
    await endClients(connection, name)
  },

  async drop(connection, name, mark) {
    const [row] = await connection.query(
      `SELECT ${MARK} AS mark FROM pg_catalog.pg_database d WHERE d.datname = ${literal(name)}`,
    )
    if (row === undefined) return
    if (row.mark !== mark) {
      throw new RefusedError(
        `The database "${name}" is not dropped: it carries ${row.mark === null ? 'no mark' : 'another mark'}.`,
        {
          next: 'If it is not in use, drop it by hand.',
        },
      )
    }
    try {
      await connection.query(`DROP DATABASE IF EXISTS ${ident(name)} WITH (FORCE)`)
    } catch (error) {
      if (codeOf(error) !== '42501') throw error
      // FORCE wants to end autovacuum, too, which no role but a superuser may; without it the server sends it away itself.
      await endClients(connection, name)
      await connection.query(`DROP DATABASE IF EXISTS ${ident(name)}`)
    }
  },

  async sessions(connection, name) {
    const rows =
      await connection.query(`SELECT 'process ' || a.pid || ', user ' || a.usename || ', application ' ||
        coalesce(nullif(a.application_name, ''), '-') || ', from ' || coalesce(host(a.client_addr), 'this machine') AS who
      FROM pg_catalog.pg_stat_activity a, pg_catalog.pg_stat_activity me
      WHERE me.pid = pg_backend_pid() AND a.pid <> me.pid AND a.datname = ${literal(name)} AND a.usename IS NOT NULL AND a.leader_pid IS NULL
        -- What a role may not see of others' sessions is null.
        AND coalesce(a.backend_type, 'client backend') = 'client backend'
        AND (a.usename IS DISTINCT FROM me.usename OR a.client_addr IS DISTINCT FROM me.client_addr)`)
    return rows.map(({ who }) => String(who))
  },

  async tryLock(connection, key, { everywhere = false } = {}) {
    const [row] = await connection.query(
      `SELECT pg_catalog.pg_try_advisory_lock(${lockNumber(key)}) AS locked`,
    )
    if (row?.locked !== true || !everywhere) return row?.locked === true
    // Whoever is connected to another database has been given a lock of the same number there.
    const [other] = await connection.query(
      `SELECT EXISTS (SELECT ${holdersOf(key)} AND l.pid <> pg_catalog.pg_backend_pid()) AS locked`,
    )
    if (other?.locked !== true) return true
    await databases.unlock(connection, key)
    return false
  },

  async unlock(connection, key) {
    await connection.query(`SELECT pg_catalog.pg_advisory_unlock(${lockNumber(key)})`)
  },

  async isLocked(connection, key) {
    const [row] = await connection.query(`SELECT EXISTS (SELECT ${holdersOf(key)}) AS locked`)
    return row?.locked === true
  },
}

/** Ends the sessions in a database, of those that the role may see and end. */
async function endClients(connection: Connection, name: string): Promise<void> {
  await connection.query(
    `SELECT pg_catalog.pg_terminate_backend(a.pid, 5000) FROM pg_catalog.pg_stat_activity a
      WHERE a.datname = ${literal(name)} AND a.backend_type = 'client backend'`,
  )
}

/** The rest of a SELECT, whichever database they are connected to. */
function holdersOf(key: string): string {
  return `FROM pg_catalog.pg_locks l
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
      AND ((l.classid::bigint << 32) | l.objid::bigint) = ${lockNumber(key)}`
}

function lockNumber(key: string): string {
  return `pg_catalog.hashtextextended(${literal(`afresh:${key}`)}, 0)`
}

/** CREATE DATABASE … TEMPLATE copies neither settings nor privileges of the database itself. */
async function settingsOf(connection: Connection, template: string, name: string): Promise<string[]> {
  const rows = await connection.query(`SELECT s.setrole::text AS role, r.rolname AS role_name, entry
    FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole CROSS JOIN LATERAL unnest(s.setconfig) AS entry
    WHERE d.datname = ${literal(template)}`)
  return rows.map((row) => {
    const entry = String(row.entry)
    const setting = ident(entry.slice(0, entry.indexOf('=')))
    const value = entry.slice(entry.indexOf('=') + 1)
    const whose = row.role === '0' ? '' : `ROLE ${ident(String(row.role_name))} IN `
    return `ALTER ${whose}DATABASE ${ident(name)} SET ${setting} TO ${settingValue(setting, value)}`
  })
}

/** Lists are kept with quotes of their own, an empty name as `""`, which no statement takes as it is. */
function settingValue(setting: string, value: string): string {
  const isList = /^"(search_path|temp_tablespaces|.*_preload_libraries|datestyle)"$/i.test(setting)
  const elements = isList ? (value.match(/"(?:[^"]|"")*"|[^,\s"][^,]*/g) ?? []) : []
  if (elements.length === 0) return literal(value)
  return elements
    .map((one) => (one.startsWith('"') ? one.slice(1, -1).replaceAll('""', '"') : one.trim()))
    .map(literal)
    .join(', ')
}

async function grantsOf(connection: Connection, template: string, name: string): Promise<string[]> {
  const rows =
    await connection.query(`SELECT g.privilege_type AS privilege, g.is_grantable AS grantable, r.rolname AS role
    FROM pg_catalog.pg_database d CROSS JOIN LATERAL pg_catalog.aclexplode(d.datacl) AS g
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = g.grantee WHERE d.datname = ${literal(template)} AND g.grantee <> d.datdba`)
  if (rows.length === 0) return []
  return [`REVOKE ALL ON DATABASE ${ident(name)} FROM PUBLIC`, ...rows.map((row) => grant(name, row))]
}

function grant(name: string, { privilege, grantable, role }: Row): string {
  const to = role === null ? 'PUBLIC' : ident(String(role))
  return `GRANT ${privilege} ON DATABASE ${ident(name)} TO ${to}${grantable === true ? ' WITH GRANT OPTION' : ''}`
}

function cloneError(template: string, name: string, cause: unknown): AfreshError {
  const next =
    codeOf(cause) === '55006'
      ? `Somebody is connected to "${template}"; close that connection (psql, a database browser) and start again.`
      : codeOf(cause) === '42501'
        ? 'Grant the role CREATEDB; only the owner of a database that is no template may copy it, or a superuser.'
        : 'Look at the server for the cause.'
  return new AfreshError(
    'server',
    `The template "${template}" could not be copied to "${name}": ${messageOf(cause)}.`,
    {
      next,
      cause,
    },
  )
}
