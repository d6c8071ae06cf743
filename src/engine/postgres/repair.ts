import type { Plan } from '../../plan/plan.ts'
import type { Table } from '../../schema/schema.ts'
import { ident, only, qualified } from './quote.ts'

/**
 * The baseline rows of the whole database: `t` the table's id, `row` as text, and the version that each row is now:
 * `rel` the table or partition that holds it, `filenode` its file, and the ctid and xmin of the row in it.
 *
 * A row version never changes, so these tell whether a row is still the one that was put there; comparing them reads
 * no column and no TOAST. In a new file (CLUSTER) another row may have that ctid.
 * https://www.postgresql.org/docs/current/ddl-system-columns.html
 */
export const ROWS = 'pg_temp.afresh_rows'
/** How many versions each populated table has, and a hash of them all: what a scan compares. */
export const STATE = 'pg_temp.afresh_state'

export const REPAIR_TABLES = [
  `CREATE TEMP TABLE afresh_rows (table_oid oid, rel oid, filenode oid, row_ctid tid, row_xmin xid, row text COLLATE "C")`,
  `CREATE TEMP TABLE afresh_state (table_oid oid PRIMARY KEY, rows bigint, hash bigint, is_new boolean NOT NULL DEFAULT false)`,
]

export const INDEX_ROWS = `CREATE INDEX ON ${ROWS} (table_oid, rel, row_ctid)`

/**
 * The alias under which a table is read. A column of the same name would hide the row behind it
 * (`alias::text` is the column then), so it is one that nobody has.
 */
export const ROW_ALIAS = 'afresh_row_of_table'
const ALIAS = ROW_ALIAS

/**
 * A row as text, written and read in one session. Lossless, but for the declaration (`<?xml version="1.0"?>`) of an
 * XML document, which its output function leaves out.
 */
function rowText({ columns }: Table): string {
  if (columns.every(({ exactType }) => exactType === undefined)) return `${ALIAS}::text COLLATE "C"`
  const values = columns.map(({ name, exactType }) => {
    const value = `${ALIAS}.${ident(name)}`
    return exactType === undefined ? value : `${value}::${exactType}`
  })
  return `ROW(${values.join(', ')})::text COLLATE "C"`
}

function captureRows(table: Table): string {
  return `INSERT INTO ${ROWS} (table_oid, rel, filenode, row_ctid, row_xmin, row)
    SELECT ${table.id}, ${ALIAS}.tableoid, c.relfilenode, ${ALIAS}.ctid, ${ALIAS}.xmin, ${rowText(table)}
    FROM ${only(table)} AS ${ALIAS} JOIN pg_catalog.pg_class AS c ON c.oid = ${ALIAS}.tableoid`
}

export function versions(table: Table): string {
  return `SELECT count(*) AS rows, coalesce(bit_xor(${hash('tableoid, ctid, xmin')}), 0) AS hash FROM ${only(table)}`
}

export function hash(version: string): string {
  return `pg_catalog.hash_record_extended(ROW(${version}), 0)`
}

/** Of the rows that were captured, and not of what is there by now: somebody may have committed another meanwhile. */
function rememberCaptured(table: Table): string {
  return `INSERT INTO ${STATE} (table_oid, rows, hash) SELECT ${table.id}, count(*), coalesce(bit_xor(${hash('r.rel, r.row_ctid, r.row_xmin')}), 0)
    FROM ${ROWS} AS r WHERE r.table_oid = ${table.id}`
}

/** Where to look for differences: in the whole table, or in the blocks that the journal names. */
export type Where = 'everywhere' | 'near'

/** Every version that is not the baseline's goes. */
export function deleteDiffering(table: Table, where: Where): string {
  if (where === 'near') {
    return `DELETE FROM ${only(table)} AS ${ALIAS} USING (SELECT extra.* FROM (${blocksOf(table)}) AS b CROSS JOIN LATERAL (
        SELECT a.tableoid AS rel, a.ctid AS row_ctid, a.xmin AS row_xmin FROM ${only(table)} AS a WHERE a.tableoid = b.relation AND ${inBlock('a.ctid')}
        EXCEPT SELECT r.rel, r.row_ctid, r.row_xmin FROM ${ROWS} AS r WHERE r.table_oid = ${table.id} AND r.rel = b.relation AND ${inBlock('r.row_ctid')}
      ) AS extra OFFSET 0) AS extra WHERE ${ALIAS}.ctid = extra.row_ctid AND ${ALIAS}.tableoid = extra.rel`
  }
  return `DELETE FROM ${only(table)} AS ${ALIAS} WHERE NOT EXISTS (SELECT FROM ${ROWS} AS r
    JOIN pg_catalog.pg_class AS c ON c.oid = r.rel AND c.relfilenode = r.filenode
    WHERE r.table_oid = ${table.id} AND r.rel = ${ALIAS}.tableoid AND r.row_ctid = ${ALIAS}.ctid AND r.row_xmin = ${ALIAS}.xmin)`
}

/** Whether a ctid lies in the block `b.block`. */
function inBlock(ctid: string): string {
  return `${ctid} >= ('(' || b.block || ',0)')::tid AND ${ctid} < ('(' || b.block + 1 || ',0)')::tid`
}

/** An aggregate over the files and blocks that the journal names: those of populated tables. */
export const AS_BLOCKS = `json_agg(json_build_array(f.subject, f.relation, x.block)) FILTER (WHERE f.populated)`

/**
 * For the statements of the reset under way. A setting of the session holds them, since a temporary table that is filled
 * and emptied for each reset would only grow.
 */
export const NOTE_BLOCKS = `PERFORM pg_catalog.set_config('afresh.blocks', blocks::text, true);`

function blocksOf(table: Table): string {
  return `SELECT DISTINCT (b->>1)::oid AS relation, (b->>2)::bigint AS block
    FROM json_array_elements(pg_catalog.current_setting('afresh.blocks')::json) AS b WHERE (b->>0)::oid = ${table.id}`
}

function missingRows(table: Table, where: Where): string {
  const alive = `SELECT FROM ${only(table)} AS ${ALIAS}
    WHERE ${ALIAS}.tableoid = r.rel AND ${ALIAS}.ctid = r.row_ctid AND ${ALIAS}.xmin = r.row_xmin`
  const columns = 'r.ctid AS id, r.rel, r.row_ctid, r.row_xmin, r.row'
  return where === 'everywhere'
    ? `SELECT ${columns} FROM ${ROWS} AS r WHERE r.table_oid = ${table.id} AND NOT EXISTS (${alive}
        AND r.filenode = (SELECT c.relfilenode FROM pg_catalog.pg_class AS c WHERE c.oid = r.rel))`
    : `SELECT r.* FROM (${blocksOf(table)}) AS b CROSS JOIN LATERAL (SELECT ${columns} FROM ${ROWS} AS r
        WHERE r.table_oid = ${table.id} AND r.rel = b.relation AND ${inBlock('r.row_ctid')} AND NOT EXISTS (${alive} OFFSET 0) OFFSET 0) AS r`
}

/**
 * Baseline rows whose version is gone come back, and their new versions are noted. Triggers and rules are off, so
 * every row of the INSERT returns one, in the order in which they were given to it.
 */
export function insertMissing(table: Table, where: Where): string {
  return `WITH missing AS MATERIALIZED (SELECT m.*, row_number() OVER () AS n FROM (${missingRows(table, where)}) AS m),
    back AS (${insert(table, `(SELECT m.n, m.row::${qualified(table)} AS r FROM missing AS m OFFSET 0) AS m ORDER BY m.n`)}
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
 * With checks on, the plan has emptied the tables before, and those of a cycle come back in one statement. What is remembered
 * are the versions that were put in, and not what is there then: another session may have committed a row meanwhile.
 */
export function insertAll(tables: readonly Table[]): string {
  const parts = tables.flatMap((table, i) => {
    const rows = `(SELECT base.row::${qualified(table)} AS r FROM ${ROWS} AS base WHERE base.table_oid OPERATOR(pg_catalog.=) ${table.id} OFFSET 0) AS missing`
    const version = hash('b.rel, b.row_ctid, pg_catalog.pg_current_xact_id()::xid')
    return [
      `back${i} AS (${insert(table, rows)} RETURNING tableoid AS rel, ctid AS row_ctid)`,
      `known${i} AS (UPDATE ${STATE} AS s SET rows = v.rows, hash = v.hash
        FROM (SELECT pg_catalog.count(*) AS rows, coalesce(pg_catalog.bit_xor(${version}), 0) AS hash FROM back${i} AS b) AS v
        WHERE s.table_oid OPERATOR(pg_catalog.=) ${table.id})`,
    ]
  })
  return `WITH ${parts.join(', ')} ${tables.map((_, i) => `SELECT FROM back${i}`).join(' UNION ALL ')}`
}

/** `from` gives rows of the table's type as `r`. */
function insert(table: Table, from: string): string {
  const columns = table.columns.filter(({ generated }) => !generated).map(({ name }) => ident(name))
  const target = columns.length === 0 ? '' : `(${columns.join(', ')}) OVERRIDING SYSTEM VALUE `
  return `INSERT INTO ${qualified(table)} ${target}SELECT ${columns.map((name) => `(r).${name}`).join(', ')} FROM ${from}`
}

/** Whether rows are repaired where they differ, by their versions: only then are new versions noted. */
export function notesVersions({ mode }: Plan): boolean {
  return mode === 'unchecked'
}

/** What a table holds, and the versions of its rows. */
export function captureTable(table: Table): string[] {
  return [captureRows(table), rememberCaptured(table)]
}
