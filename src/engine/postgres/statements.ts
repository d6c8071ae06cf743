import type { Plan, Step } from '../../plan/plan.ts'
import { type Schema, type Sequence, type Table, tableOf } from '../../schema/schema.ts'
import { ident, literal, only, qualified } from './quote.ts'

/** The baseline rows of the whole database, as text: `t` the table's id, `n` tells equal rows apart. */
export const ROWS = 'pg_temp.afresh_rows'
/** What the versions of the rows of each populated table were when it was last known to be at its baseline. */
export const STATE = 'pg_temp.afresh_state'

/**
 * The alias under which a table is read. A column of the same name would hide the row behind it
 * (`alias::text` is the column then), so it is one that nobody has.
 */
const ALIAS = 'afresh_row_of_table'

/**
 * A row as text, written and read in one session. Lossless, but for the declaration (`<?xml version="1.0"?>`) of an
 * XML document, which its output function leaves out.
 */
const ROW_TEXT = `${ALIAS}::text COLLATE "C"`

/** The SQL of a step, in order. */
export function statementsOf(schema: Schema, plan: Plan, step: Step): string[] {
  const tables = (ids: readonly string[]) => ids.map((id) => tableOf(schema, id))
  switch (step.kind) {
    case 'delete':
      return [deleteFrom(tables(step.tables))]
    case 'truncate':
      return [truncate(tables(step.tables))]
    case 'trim':
      return [trim(tableOf(schema, step.table))]
    case 'fill':
      return [fill(tables(step.tables), plan), ...tables(step.tables).map(remember)]
    case 'refresh':
      return [
        `REFRESH MATERIALIZED VIEW ${qualified(tableOf(schema, step.table))}`,
        remember(tableOf(schema, step.table)),
      ]
    case 'restart':
      return restart(schema, step.sequence, step.to)
    case 'check':
      return [dangling(schema, step.foreignKey)]
  }
}

/** Several tables form a cycle: checks run at the end of the statement, when all of them are empty. */
export function deleteFrom(tables: readonly Table[]): string {
  const [first] = tables
  if (tables.length === 1 && first !== undefined) return `DELETE FROM ${only(first)}`
  const parts = tables.map((table, i) => `d${i} AS (DELETE FROM ${only(table)} RETURNING 1)`)
  const counts = tables.map((_, i) => `SELECT FROM d${i}`)
  return `WITH ${parts.join(', ')} ${counts.join(' UNION ALL ')}`
}

export function truncate(tables: readonly Table[]): string {
  return `TRUNCATE ${tables.map(only).join(', ')}`
}

/** The rows of a table with their text, each numbered among its equals where no key makes them unique. */
function numbered(table: Table, columns: string): string {
  const n = table.primaryKey.length > 0 ? '1' : `row_number() OVER (PARTITION BY ${ROW_TEXT})`
  return `SELECT ${columns}${ROW_TEXT} AS row, ${n} AS n FROM ${only(table)} AS ${ALIAS}`
}

function trim(table: Table): string {
  return `DELETE FROM ${only(table)} AS ${ALIAS} USING (${numbered(table, 'tableoid AS o, ctid AS c, ')}) AS now
    WHERE ${ALIAS}.tableoid = now.o AND ${ALIAS}.ctid = now.c AND NOT EXISTS (SELECT FROM ${ROWS} AS base
      WHERE base.t = ${table.id} AND base.row = now.row AND base.n = now.n)`
}

/** With checks on, the plan has emptied the tables before, and those of a cycle come back in one statement. */
function fill(tables: readonly Table[], plan: Plan): string {
  const inserts = tables.map((table) => insertBaseline(table, plan.mode === 'ordered'))
  const [first] = inserts
  if (inserts.length === 1 && first !== undefined) return first
  const parts = inserts.map((insert, i) => `i${i} AS (${insert} RETURNING 1)`)
  return `WITH ${parts.join(', ')} ${inserts.map((_, i) => `SELECT FROM i${i}`).join(' UNION ALL ')}`
}

function insertBaseline(table: Table, isEmpty: boolean): string {
  const columns = table.columns.filter(({ generated }) => !generated).map(({ name }) => ident(name))
  const missing = isEmpty
    ? ''
    : ` AND NOT EXISTS (SELECT FROM (${numbered(table, '')}) AS now WHERE now.row = base.row AND now.n = base.n)`
  const target = columns.length === 0 ? '' : `(${columns.join(', ')}) OVERRIDING SYSTEM VALUE `
  return `INSERT INTO ${qualified(table)} ${target}SELECT ${columns.map((name) => `(r).${name}`).join(', ')}
    FROM (SELECT base.row::${qualified(table)} AS r FROM ${ROWS} AS base WHERE base.t = ${table.id}${missing} OFFSET 0) AS missing`
}

export function captureRows(table: Table): string {
  return `INSERT INTO ${ROWS} (t, row, n) SELECT ${table.id}, row, n FROM (${numbered(table, '')}) AS now`
}

/**
 * A row version never changes, so (ctid, xmin) tells whether a row is still the one that was there; comparing
 * these reads no column and no TOAST.
 * https://www.postgresql.org/docs/current/ddl-system-columns.html
 */
export function versions(table: Table): string {
  return `SELECT count(*) AS rows, coalesce(bit_xor(pg_catalog.hash_record_extended(ROW(tableoid, ctid, xmin), 0)), 0) AS hash
    FROM ${only(table)}`
}

export function remember(table: Table): string {
  return `UPDATE ${STATE} AS s SET rows = v.rows, hash = v.hash FROM (${versions(table)}) AS v WHERE s.t = ${table.id}`
}

/** `setval` neither blocks nor needs ownership; but it leaves other sessions the values that they cached. */
function restart(
  schema: Schema,
  id: string,
  { value, called }: { value: bigint; called: boolean },
): string[] {
  const sequence = schema.sequences.find((candidate) => candidate.id === id)
  if (sequence === undefined) throw new Error(`no sequence with the id ${id}`)
  const setval = `SELECT pg_catalog.setval(${regclass(sequence)}, ${value}, ${called})`
  return sequence.cache > 1n
    ? [`ALTER SEQUENCE ${qualified(sequence)} RESTART WITH ${value}`, setval]
    : [setval]
}

function regclass(sequence: Sequence): string {
  return `${literal(qualified(sequence))}::pg_catalog.regclass`
}

/** Fails when a row of a kept table refers to a row that is gone. */
function dangling(schema: Schema, key: Extract<Step, { kind: 'check' }>['foreignKey']): string {
  const from = tableOf(schema, key.from)
  const to = tableOf(schema, key.to)
  const filled = key.columns.map((column) => `k.${ident(column)} IS NOT NULL`).join(' AND ')
  const pairs = key.columns.map(
    (column, i) => `r.${ident(key.referencedColumns[i] ?? '')} = k.${ident(column)}`,
  )
  const message = `${from.label} is kept, but rows of it refer to rows of ${to.label} that are not in the baseline`
  return `DO ${dollar(`BEGIN IF EXISTS (SELECT FROM ${qualified(from)} k WHERE ${filled} AND NOT EXISTS (SELECT FROM ${qualified(to)} r WHERE ${pairs.join(' AND ')}))
    THEN RAISE foreign_key_violation USING MESSAGE = ${literal(message)}; END IF; END`)}`
}

/** Dollar quotes around a body, with a tag that the body does not hold. */
export function dollar(body: string): string {
  let tag = '$afresh$'
  for (let i = 0; body.includes(tag); i++) tag = `$afresh${i}$`
  return `${tag}${body}${tag}`
}
