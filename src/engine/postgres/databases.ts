import { AfreshError, codeOf, messageOf } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import type { Databases } from '../databases.ts'
import { readCatalog } from './catalog.ts'
import { cloneInUse } from './clone-in-use.ts'
import { copyDatabaseSettings } from './database-settings.ts'
import { dropDatabase, endSessions, IN_USE } from './drop-database.ts'
import { foreignRows } from './foreign-rows.ts'
import { OWN_NAMESPACES } from './introspect-sequences.ts'
import { holdersOf, lockNumber, VALID_MARK } from './ownership.ts'
import { createError, dropUnfinished, provision, reopenDatabase } from './provision.ts'
import { ident, literal } from './quote.ts'
import { urlOf } from './url.ts'
import { holderOf, sizesOf } from './usage.ts'

/**
 * Above this size, copying files is cheaper than writing every block to the WAL: 64 MiB. Without fsync, the
 * checkpoints of such a copy cost little, and it is cheaper from the start (13 MB in memory: 36 ms, not 59).
 */
const FILE_COPY_FROM_BYTES = 64 * 1024 * 1024

/** Copying files on a disk. In memory, the copy ran at 1,700 MB/s. */
const COPY_BYTES_PER_SECOND = 100e6

export const databases: Databases = {
  maxNameBytes: 63,
  createGrant: 'ALTER ROLE … CREATEDB',

  async facts(connection) {
    const [row] = await readCatalog(
      connection,
      `SELECT pg_catalog.current_setting('server_version') AS version,
      (SELECT system_identifier::text FROM pg_catalog.pg_control_system()) AS identifier,
      pg_catalog.pg_is_in_recovery() AS standby,
      pg_catalog.has_parameter_privilege('session_replication_role', 'SET')::text AS privileges,
      (SELECT r.rolsuper OR r.rolcreatedb FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) AS may_create`,
    )
    return {
      version: String(row?.version),
      systemIdentifier: String(row?.identifier),
      standby: row?.standby === true,
      mayCreateDatabases: row?.may_create === true,
      privileges: String(row?.privileges),
    }
  },

  urlOf,

  async list(connection) {
    const rows = await readCatalog(
      connection,
      `SELECT d.datname AS name, d.datallowconn AS open, CASE WHEN pg_catalog.pg_has_role(d.datdba, 'USAGE') THEN ${VALID_MARK} END AS mark
      FROM pg_catalog.pg_database d WHERE d.datname NOT IN ('template0', 'template1') ORDER BY d.oid`,
    )
    return rows.map(({ name, open, mark }) => ({
      name: String(name),
      mark: typeof mark === 'string' ? mark : undefined,
      frozen: open === false,
    }))
  },

  foreignRows: (connection, options) => foreignRows(connection, urlOf, options),

  async create(connection, name) {
    try {
      return await provision(connection, name, '')
    } catch (cause) {
      throw cause instanceof AfreshError ? cause : createError(name, cause)
    }
  },

  async clone(connection, template, name, { settings = true } = {}) {
    const [source] = await readCatalog(
      connection,
      `SELECT pg_catalog.current_setting('fsync') AS fsync, pg_catalog.pg_database_size(d.oid)::text AS bytes,
        (SELECT pg_catalog.set_config(s.name, 'clone', false) FROM pg_catalog.pg_settings AS s
          WHERE s.name = 'file_copy_method' AND 'clone' = ANY (s.enumvals)) AS method
      FROM pg_catalog.pg_database d WHERE d.datname = ${literal(template)}`,
    )
    const isCopied = source?.fsync === 'off' || Number(source?.bytes) > FILE_COPY_FROM_BYTES
    const strategy = isCopied ? 'FILE_COPY' : 'WAL_LOG'
    try {
      return await provision(
        connection,
        name,
        `TEMPLATE ${ident(template)} STRATEGY ${strategy}`,
        async (temporary) => (settings ? copyDatabaseSettings(connection, template, temporary) : []),
      )
    } catch (cause) {
      if (cause instanceof AfreshError) throw cause
      const others = codeOf(cause) === IN_USE ? await whoIsIn(connection, template) : ''
      throw cloneError({ template, name, others }, cause)
    }
  },

  cloneInUse: (connection, source, name) => cloneInUse(databases, connection, source, name),

  async copySettings(connection, template, name) {
    const statements = await copyDatabaseSettings(connection, template, name)
    if (statements.length > 0) await connection.query(statements.join(';'))
  },

  reopen: reopenDatabase,

  async extent(connection) {
    const [row] = await readCatalog(
      connection,
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
    // The pool of a migration or the worker of an extension (TimescaleDB's scheduler) may still be connected,
    // and a database with connections cannot be copied.
    await endSessions(connection, name)
  },

  drop: dropDatabase,

  dropUnfinished,

  async sessionOf(connection) {
    const [row] = await readCatalog(connection, 'SELECT pg_catalog.pg_backend_pid() AS pid')
    return Number(row?.pid)
  },

  async sessions(connection, name, { ofUser = false } = {}) {
    const rows = await readCatalog(
      connection,
      `SELECT concat('process ', a.pid, ', user ', a.usename, ', application ',
        coalesce(nullif(a.application_name, ''), '-'), ', from ', coalesce(host(a.client_addr), 'this machine')) AS who
      FROM pg_catalog.pg_stat_activity a, pg_catalog.pg_stat_activity me
      WHERE me.pid = pg_backend_pid() AND a.pid <> me.pid AND a.datname = ${literal(name)} AND a.usename IS NOT NULL AND a.leader_pid IS NULL
        AND coalesce(a.backend_type, 'client backend') = 'client backend' -- null where the role may not see it
        -- The health check of a container connects every few seconds, and asks nothing.
        AND NOT (a.application_name = 'pg_isready' AND coalesce(a.query, '') IN ('', '<insufficient privilege>'))
        AND (${ofUser} OR a.usename IS DISTINCT FROM me.usename OR a.client_addr IS DISTINCT FROM me.client_addr)`,
    )
    return rows.map(({ who }) => String(who))
  },

  async tryLock(connection, key, { everywhere = false } = {}) {
    const [row] = await readCatalog(
      connection,
      `SELECT pg_catalog.pg_try_advisory_lock(${lockNumber(key)}) AS locked`,
    )
    if (row?.locked !== true || !everywhere) return row?.locked === true
    // A session in another database may hold the lock of the same number there.
    const [other] = await readCatalog(
      connection,
      `SELECT EXISTS (SELECT ${holdersOf(key)} AND l.pid <> pg_catalog.pg_backend_pid()) AS locked`,
    )
    if (other?.locked !== true) return true
    await databases.unlock(connection, key)
    return false
  },

  async unlock(connection, key) {
    await readCatalog(connection, `SELECT pg_catalog.pg_advisory_unlock(${lockNumber(key)})`)
  },

  async endHolder(connection, { key, session }) {
    await readCatalog(
      connection,
      `SET LOCAL ROLE NONE; SELECT pg_catalog.pg_terminate_backend(l.pid) ${holdersOf(key)} AND l.pid = ${session}`,
    )
  },

  async isLocked(connection, key) {
    const [row] = await readCatalog(connection, `SELECT EXISTS (SELECT ${holdersOf(key)}) AS locked`)
    return row?.locked === true
  },

  holder: holderOf,

  sizes: sizesOf,
}

/** Lists the sessions in a database: clients by application name, workers of extensions by their type. */
async function whoIsIn(connection: Connection, name: string): Promise<string> {
  const rows = await readCatalog(
    connection,
    `SELECT concat_ws(', ', concat('process ', a.pid), 'user ' || a.usename::text, coalesce(nullif(a.application_name, ''), a.backend_type)) AS who
    FROM pg_catalog.pg_stat_activity AS a WHERE a.datname = ${literal(name)} AND a.leader_pid IS NULL`,
  ).catch(() => [])
  return rows.map(({ who }) => `\n    ${String(who)}`).join('')
}

interface Clone {
  readonly template: string
  readonly name: string
  /** The sessions found in the template. */
  readonly others: string
}

function cloneError({ template, name, others }: Clone, cause: unknown): AfreshError {
  const next =
    codeOf(cause) === IN_USE
      ? 'End those sessions (psql, a database browser, the worker of an extension) and start again; a superuser may end ' +
        'the workers of extensions.'
      : codeOf(cause) === '42501'
        ? 'Grant the role CREATEDB; only the owner of a database that is not a template may copy it, or a superuser.'
        : 'Look at the server for the cause.'
  return new AfreshError(
    'server',
    `The template "${template}" could not be copied to "${name}": ${messageOf(cause)}.${others}`,
    {
      next,
      cause,
    },
  )
}
