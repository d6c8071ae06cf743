import type { Plan } from '../../plan/plan.ts'
import type { Table } from '../../schema/schema.ts'
import { LEAF, LEAF_OID } from './leaf-statements.ts'
import { ident, only, qualified } from './quote.ts'

/**
 * The baseline rows of the whole database: `table_oid`, `row` as text, and the current version of each row:
 * `rel` the table or partition that contains it, `filenode` its file, and the ctid and xmin of the row in it.
 *
 * A row version never changes, so it shows whether a row is still the restored one; comparing versions reads
 * no column and no TOAST. In a new file (CLUSTER) another row may have that ctid.
 * https://www.postgresql.org/docs/current/ddl-system-columns.html
 */
export const ROWS = 'pg_temp.afresh_rows'
/** Shows other sessions whose temporary tables these are. */
export const STATE_NAME = 'afresh_state'
/** The number of row versions of each populated table, and a hash of all of them: what a scan compares. */
export const STATE = `pg_temp.${STATE_NAME}`

export const REPAIR_TABLES = [
  `CREATE TEMP TABLE afresh_rows (table_oid oid, rel oid, filenode oid, row_ctid tid, row_xmin xid, row text COLLATE "C")`,
  `CREATE TEMP TABLE afresh_state (table_oid oid PRIMARY KEY, rows bigint, hash bigint, is_new boolean NOT NULL DEFAULT false, deferred boolean NOT NULL DEFAULT false)`,
]

export const INDEX_ROWS = `CREATE INDEX ON ${ROWS} (table_oid, rel, row_ctid)`

/**
 * The alias under which a table is read. A column of the same name would hide the row (`alias::text` is then
 * the column), so the alias is unlikely as a column name.
 */
export const ROW_ALIAS = 'afresh_row_of_table'
const ALIAS = ROW_ALIAS

/**
 * A row as text, written and read in one session. Lossless, except for the declaration (`<?xml
 * version="1.0"?>`) of an XML document, which its output function omits.
 */
function rowText({ columns }: Table): string {
  if (columns.every(({ exactType }) => exactType === undefined)) return `${ALIAS}::text COLLATE "C"`
  const values = columns.map(({ name, exactType }) => {
    const value = `${ALIAS}.${ident(name)}`
    return exactType === undefined ? value : `${value}::${exactType}`
  })
  return `ROW(${values.join(', ')})::text COLLATE "C"`
}

/**
 * A query for rows of a table, in the columns of `ROWS`.
 *
 * @param condition on the row of the table; takes its alias
 */
export function capturedRows(table: Table, condition?: (row: string) => string): string {
  return `SELECT ${table.id}, ${ALIAS}.tableoid, c.relfilenode, ${ALIAS}.ctid, ${ALIAS}.xmin, ${rowText(table)}
    FROM ${only(table)} AS ${ALIAS} JOIN pg_catalog.pg_class AS c ON c.oid = ${ALIAS}.tableoid${
      condition === undefined ? '' : ` WHERE ${condition(ALIAS)}`
    }`
}

function captureRows(table: Table): string {
  return `INSERT INTO ${ROWS} (table_oid, rel, filenode, row_ctid, row_xmin, row)
    ${capturedRows(table)}`
}

export function versions(table: Table): string {
  return `SELECT count(*) AS rows, coalesce(bit_xor(${hash('tableoid, ctid, xmin')}), 0) AS hash FROM ${only(table)}`
}

export function hash(version: string): string {
  return `pg_catalog.hash_record_extended(ROW(${version}), 0)`
}

/** From the captured rows, not the current ones: another session may have committed a row meanwhile. */
function rememberCaptured(table: Table): string {
  return `INSERT INTO ${STATE} (table_oid, rows, hash) SELECT ${table.id}, count(*), coalesce(bit_xor(${hash('r.rel, r.row_ctid, r.row_xmin')}), 0)
    FROM ${ROWS} AS r WHERE r.table_oid = ${table.id}`
}

/**
 * Where to search for differences: in the whole table, in the blocks that the WAL names, or in those of one
 * partition (`LEAF`).
 */
export type Where = 'everywhere' | 'near' | 'leaf'

/** The rows of the table, or of the partition. */
const rowsOf = (table: Table, where: Where) => (where === 'leaf' ? `ONLY ${LEAF}` : only(table))

/** Deletes every row version that is not the baseline's. */
export function deleteDiffering(table: Table, where: Where): string {
  if (where !== 'everywhere') {
    return `DELETE FROM ${rowsOf(table, where)} AS ${ALIAS} USING (SELECT extra.* FROM (${blocksOf(table, where)}) AS b CROSS JOIN LATERAL (
        SELECT a.tableoid AS rel, a.ctid AS row_ctid, a.xmin AS row_xmin FROM ${rowsOf(table, where)} AS a WHERE a.tableoid = b.relation AND ${inBlock('a.ctid')}
        EXCEPT SELECT r.rel, r.row_ctid, r.row_xmin FROM ${ROWS} AS r WHERE r.table_oid = ${table.id} AND r.rel = b.relation AND ${inBlock('r.row_ctid')}
      ) AS extra OFFSET 0) AS extra WHERE ${ALIAS}.ctid = extra.row_ctid AND ${ALIAS}.tableoid = extra.rel`
  }
  return `DELETE FROM ${only(table)} AS ${ALIAS} WHERE NOT EXISTS (SELECT FROM ${ROWS} AS r
    JOIN pg_catalog.pg_class AS c ON c.oid = r.rel AND c.relfilenode = r.filenode
    WHERE r.table_oid = ${table.id} AND r.rel = ${ALIAS}.tableoid AND r.row_ctid = ${ALIAS}.ctid AND r.row_xmin = ${ALIAS}.xmin)`
}

/** Whether a ctid lies in the block `b.block`. */
function inBlock(ctid: string): string {
  return `${ctid} >= ('(' || b.block::text || ',0)')::tid AND ${ctid} < ('(' || (b.block + 1)::text || ',0)')::tid`
}

/** An aggregate over the files and blocks that the WAL names, for populated tables only. */
export const AS_BLOCKS = `json_agg(json_build_array(f.subject, f.relation, x.block)) FILTER (WHERE f.populated)`

/**
 * Stores the blocks for the statements of the current reset. A session setting holds them, because a
 * temporary table that is filled and emptied in each reset would keep growing.
 */
export const NOTE_BLOCKS = `PERFORM pg_catalog.set_config('afresh.blocks', blocks::text, true);`

function blocksOf(table: Table, where: Where): string {
  const isWanted = where === 'leaf' ? `(b->>1)::oid = ${LEAF_OID}` : `(b->>0)::oid = ${table.id}`
  return `SELECT DISTINCT (b->>1)::oid AS relation, (b->>2)::bigint AS block
    FROM json_array_elements(pg_catalog.current_setting('afresh.blocks')::json) AS b WHERE ${isWanted}`
}

function missingRows(table: Table, where: Where): string {
  const alive = `SELECT FROM ${rowsOf(table, where)} AS ${ALIAS}
    WHERE ${ALIAS}.tableoid = r.rel AND ${ALIAS}.ctid = r.row_ctid AND ${ALIAS}.xmin = r.row_xmin`
  const columns = 'r.ctid AS id, r.rel, r.row_ctid, r.row_xmin, r.row'
  return where === 'everywhere'
    ? `SELECT ${columns} FROM ${ROWS} AS r WHERE r.table_oid = ${table.id} AND NOT EXISTS (${alive}
        AND r.filenode = (SELECT c.relfilenode FROM pg_catalog.pg_class AS c WHERE c.oid = r.rel))`
    : `SELECT r.* FROM (${blocksOf(table, where)}) AS b CROSS JOIN LATERAL (SELECT ${columns} FROM ${ROWS} AS r
        WHERE r.table_oid = ${table.id} AND r.rel = b.relation AND ${inBlock('r.row_ctid')} AND NOT EXISTS (${alive} OFFSET 0) OFFSET 0) AS r`
}

/**
 * Inserts the baseline rows whose version is gone, and records their new versions. Triggers and rules are
 * disabled, so the INSERT returns one row per input row, in input order.
 */
export function insertMissing(table: Table, where: Where): string {
  return `WITH missing AS MATERIALIZED (SELECT m.*, row_number() OVER () AS n FROM (${missingRows(table, where)}) AS m),
    back AS (${insert(table, where === 'leaf' ? LEAF : qualified(table), `(SELECT m.n, m.row::${qualified(table)} AS r FROM missing AS m OFFSET 0) AS m ORDER BY m.n`)}
      RETURNING tableoid AS rel, ctid AS row_ctid),
    placed AS MATERIALIZED (SELECT b.rel, b.row_ctid, row_number() OVER () AS n FROM back AS b),
    noted AS (UPDATE ${ROWS} AS r SET rel = p.rel, filenode = c.relfilenode, row_ctid = p.row_ctid, row_xmin = pg_catalog.pg_current_xact_id()::xid
      FROM missing AS m JOIN placed AS p USING (n) JOIN pg_catalog.pg_class AS c ON c.oid = p.rel WHERE r.ctid = m.id),
    known AS (UPDATE ${STATE} AS s SET hash = s.hash
        # (SELECT bit_xor(${hash('m.rel, m.row_ctid, m.row_xmin')}) FROM missing AS m)
        # (SELECT bit_xor(${hash('p.rel, p.row_ctid, pg_catalog.pg_current_xact_id()::xid')}) FROM placed AS p)
      WHERE s.table_oid = ${table.id} AND EXISTS (SELECT FROM missing))
    SELECT FROM missing`
}

/**
 * With checks enabled, the plan has emptied the tables before, and one statement fills the tables of a cycle.
 * Records the inserted versions, not the current ones: another session may have committed a row meanwhile.
 */
export function insertAll(tables: readonly Table[]): string {
  const parts = tables.flatMap((table, i) => {
    const rows = `(SELECT base.row::${qualified(table)} AS r FROM ${ROWS} AS base WHERE base.table_oid OPERATOR(pg_catalog.=) ${table.id} OFFSET 0) AS missing`
    const version = hash('b.rel, b.row_ctid, pg_catalog.pg_current_xact_id()::xid')
    return [
      `back${i} AS (${insert(table, qualified(table), rows)} RETURNING tableoid AS rel, ctid AS row_ctid)`,
      `known${i} AS (UPDATE ${STATE} AS s SET rows = v.rows, hash = v.hash
        FROM (SELECT pg_catalog.count(*) AS rows, coalesce(pg_catalog.bit_xor(${version}), 0) AS hash FROM back${i} AS b) AS v
        WHERE s.table_oid OPERATOR(pg_catalog.=) ${table.id})`,
    ]
  })
  return `WITH ${parts.join(', ')} ${tables.map((_, i) => `SELECT FROM back${i}`).join(' UNION ALL ')}`
}

/** `from` yields rows of the table's type as `r`; `into` is the table or its partition. */
function insert(table: Table, into: string, from: string): string {
  const columns = table.columns.filter(({ generated }) => !generated).map(({ name }) => ident(name))
  const target = columns.length === 0 ? '' : `(${columns.join(', ')}) OVERRIDING SYSTEM VALUE `
  return `INSERT INTO ${into} ${target}SELECT ${columns.map((name) => `(r).${name}`).join(', ')} FROM ${from}`
}

/** Whether rows are restored individually, by their versions. Only then are new versions recorded. */
export function notesVersions({ mode }: Plan): boolean {
  return mode === 'unchecked'
}

/** Captures a table's rows and their versions. */
export function captureTable(table: Table): string[] {
  return [captureRows(table), rememberCaptured(table)]
}
