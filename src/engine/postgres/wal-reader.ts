import { codeOf } from '../../errors.ts'
import type { Plan } from '../../plan/plan.ts'
import { type SubjectId, tableOf } from '../../schema/schema.ts'
import type { Connection } from '../connection.ts'
import type { Program } from '../resetter.ts'

/**
 * `pg_get_wal_block_info` of the contrib module pg_walinspect 1.1 (PostgreSQL 16), declared in the session
 * only: CREATE EXTENSION would leave its functions in the user's schemas.
 * https://www.postgresql.org/docs/current/pgwalinspect.html
 */
const READER = `CREATE FUNCTION pg_temp.afresh_wal(IN from_lsn pg_lsn, IN to_lsn pg_lsn, IN show_data boolean,
  OUT start_lsn pg_lsn, OUT end_lsn pg_lsn, OUT prev_lsn pg_lsn, OUT block_id int2, OUT reltablespace oid,
  OUT reldatabase oid, OUT relfilenode oid, OUT relforknumber int2, OUT relblocknumber int8, OUT xid xid,
  OUT resource_manager text, OUT record_type text, OUT record_length int4, OUT main_data_length int4,
  OUT block_data_length int4, OUT block_fpi_length int4, OUT block_fpi_info text[], OUT description text,
  OUT block_data bytea, OUT block_fpi_data bytea)
  RETURNS SETOF record LANGUAGE c STRICT ROWS 100 AS '$libdir/pg_walinspect', 'pg_get_wal_block_info'`

const DROP_READER = `DROP FUNCTION IF EXISTS pg_temp.afresh_wal(pg_lsn, pg_lsn, boolean)`

/** How a session can read the WAL, or why not. */
export type WalAccess = Readable | { readonly readable: false; readonly why: string }

export interface Readable {
  readonly readable: true
  /** Whether a message can flush the WAL without a commit: from 17 on. */
  readonly flushes: boolean
  /** The oid of the database. */
  readonly database: string
  /** Subjects without WAL records: unlogged tables and sequences, and tables with unlogged partitions. */
  readonly unlogged: ReadonlySet<SubjectId>
  /** Whether any table has baseline rows. */
  readonly populated: boolean
  /** Whether any table is partitioned. */
  readonly partitioned: boolean
}

/**
 * Checks whether this session can read the WAL, and leaves the reader declared. Declaring a C function
 * requires a superuser, and `wal_level = minimal` omits bulk loads.
 */
export async function walAccessOf(
  connection: Connection,
  { schema, plan, detector }: Program,
  database: string,
): Promise<WalAccess> {
  const no = (why: string): WalAccess => ({ readable: false, why })
  if (detector === 'scan') return no('it was asked for')
  if (!connection.owned) return no('the journal is read on connections of our own only')
  const [row] = await connection.query(`SELECT pg_catalog.current_setting('is_superuser') = 'on' AS superuser,
    pg_catalog.current_setting('wal_level') AS level, pg_catalog.current_setting('server_version_num')::int AS version`)
  const version = Number(row?.version)
  if (version < 160000) return no('the journal can be read from PostgreSQL 16 on')
  if (row?.superuser !== true) return no('only a superuser can read the journal')
  if (row.level === 'minimal') return no('with wal_level = minimal the journal leaves bulk loads out')
  try {
    // track_counts: the statistics report how many rows prepared statements deleted
    await connection.query(`${DROP_READER}; ${READER}; SET track_counts = on`)
    const unlogged = await connection.query(
      `SELECT DISTINCT w.subject::text FROM (${watchedRelations(plan)}) AS w JOIN pg_catalog.pg_class AS c ON c.oid = w.id
      WHERE c.relpersistence <> 'p'`,
    )
    return {
      readable: true,
      flushes: version >= 170000,
      database,
      unlogged: new Set(unlogged.map(({ subject }) => String(subject))),
      populated: plan.populated.length > 0,
      partitioned: plan.order.flat().some((id) => tableOf(schema, id).traits.includes('partitioned')),
    }
  } catch (error) {
    // undefined_file: the server is installed without its contrib modules
    if (codeOf(error) === '58P01') return no('the server lacks the contrib module pg_walinspect')
    throw error
  }
}

/** The relations that contain rows and sequence positions, partitions included, and the subject of each. */
export function watchedRelations(plan: Plan): string {
  return `SELECT coalesce(p.relid, t.id) AS id, t.id AS subject, t.id = ANY (${oids(plan.populated)}) AS populated
      FROM unnest(${oids(plan.order.flat())}) AS t(id) LEFT JOIN LATERAL pg_catalog.pg_partition_tree(t.id) AS p ON p.isleaf
    UNION ALL SELECT s.id, s.id, false FROM unnest(${oids(plan.sequences)}) AS s(id)`
}

function oids(ids: readonly string[]): string {
  return `ARRAY[${ids.join(', ')}]::oid[]`
}
