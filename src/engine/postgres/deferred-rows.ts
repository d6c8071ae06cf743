/**
 * Baseline rows of large tables are not captured at the start of a session. The rows of a block are read when
 * a test has written to it, from a pristine copy of the template: copies of a template have the same rows in the same
 * blocks, with the same versions.
 */
import { AfreshError, messageOf } from '../../errors.ts'
import type { Plan } from '../../plan/plan.ts'
import { type Schema, type SubjectId, type Table, type TableId, tableOf } from '../../schema/schema.ts'
import type { Connection, Row } from '../connection.ts'
import type { Program } from '../resetter.ts'
import { readCatalog } from './catalog.ts'
import { copyBetween } from './copy-in.ts'
import { capturedRows, ROWS, STATE, versions } from './repair.ts'
import { resetSettings } from './reset-settings.ts'
import { settingsSql } from './settings.ts'
import { statementNear } from './statements.ts'

/** The number of rows of a table, and the hash of their versions, as SQL. */
interface Versions {
  readonly rows: string
  readonly hash: string
}

export type DeferredTables = ReadonlyMap<TableId, Versions>

/** Capturing less takes at most some tens of milliseconds. */
const LARGE_BYTES = 2 ** 20

/** The finding that sessions share. */
const DEFERRED = 'versions of large tables'

/** The tables whose rows need not be captured: none without a pristine copy. */
export async function deferredTablesOf(
  connection: Connection,
  { schema, plan, findings, pristine }: Program,
): Promise<DeferredTables> {
  if (pristine === undefined || findings === undefined || plan.populated.length === 0) return new Map()
  const known = findings.get(DEFERRED) ?? JSON.stringify(await readVersions(connection, schema, plan))
  findings.set(DEFERRED, known)
  return new Map(JSON.parse(known) as [TableId, Versions][])
}

async function readVersions(
  connection: Connection,
  schema: Schema,
  { populated }: Plan,
): Promise<[TableId, Versions][]> {
  const large = await readCatalog(
    connection,
    `SELECT t.id::text AS id FROM unnest(ARRAY[${populated.join(', ')}]::oid[]) AS t (id) WHERE coalesce(
      (SELECT sum(pg_catalog.pg_relation_size(p.relid)) FROM pg_catalog.pg_partition_tree(t.id) AS p WHERE p.isleaf),
      pg_catalog.pg_relation_size(t.id)) > ${LARGE_BYTES}`,
  )
  const tables = large
    .map(({ id }) => tableOf(schema, String(id)))
    .filter(({ traits }) => !traits.includes('materialized'))
  if (tables.length === 0) return []
  const each = tables.map((table) => `SELECT ${table.id} AS id, v.* FROM (${versions(table)}) AS v`)
  const found = await connection.query(each.join(' UNION ALL '))
  return found.map(({ id, rows, hash }) => [String(id), { rows: String(rows), hash: String(hash) }])
}

/** Which steps need rows of which deferred tables; `near`: only those of the blocks that the WAL names. */
const NEEDS = 'pg_temp.afresh_needs'
/** The blocks whose baseline rows are in `ROWS`. */
const FETCHED = 'pg_temp.afresh_fetched'

export const DEFERRED_TABLES = { kept: FETCHED, ofProgram: NEEDS }

/** Records the versions of a table instead of its rows. */
export function deferRows(id: TableId, { rows, hash }: Versions): string {
  return `INSERT INTO ${STATE} (table_oid, rows, hash, deferred) VALUES (${id}, ${rows}, ${hash}, true)`
}

export const CREATE_FETCHED = `CREATE TEMP TABLE afresh_fetched (table_oid oid, rel oid, block bigint, PRIMARY KEY (table_oid, rel, block))`

/** @param isInJournal whether the WAL names every block of a subject that is written */
export function needsOf(
  schema: Schema,
  plan: Plan,
  deferred: DeferredTables,
  isInJournal: (id: SubjectId) => boolean,
): string[] {
  const rows = plan.steps.flatMap((step, no) => {
    const tables =
      step.kind === 'delete-differing' ? [step.table] : step.kind === 'insert-missing' ? step.tables : []
    const isNear = step.when.every(isInJournal) && statementNear(schema, plan, step) !== undefined
    return tables.filter((id) => deferred.has(id)).map((id) => `(${no}, ${id}, ${isNear})`)
  })
  return [
    'CREATE TEMP TABLE afresh_needs (no int, table_oid oid, near boolean)',
    ...(rows.length === 0 ? [] : [`INSERT INTO ${NEEDS} VALUES ${rows.join(', ')}`]),
    `ANALYZE ${NEEDS}`,
  ]
}

/**
 * PL/pgSQL that ends a reset, before it changes anything, if a step that is due needs rows that are not there.
 *
 * @param due a condition on the row `u` of `DUE`
 */
export function returnIfNeeded(dueTable: string, due: string): string {
  return `
    needed := (SELECT json_agg(json_build_array(n.table_oid::text, n.blocks)) FROM (
      SELECT d.table_oid, d.near, CASE WHEN d.near THEN (SELECT json_agg(json_build_array(x.relation::text, x.block)) FROM (
        SELECT (b->>1)::oid AS relation, (b->>2)::bigint AS block FROM json_array_elements(blocks) AS b WHERE (b->>0)::oid = d.table_oid
        EXCEPT SELECT f.rel, f.block FROM ${FETCHED} AS f WHERE f.table_oid = d.table_oid) AS x) END AS blocks
      FROM (SELECT q.table_oid, bool_and(q.near AND is_near IS TRUE) AS near FROM ${dueTable} AS u JOIN ${NEEDS} AS q ON q.no = u.no
        JOIN ${STATE} AS s ON s.table_oid = q.table_oid AND s.deferred WHERE ${due} GROUP BY 1 OFFSET 0) AS d OFFSET 0) AS n
      WHERE n.blocks IS NOT NULL OR n.near IS NOT TRUE);
    IF needed IS NOT NULL THEN
      RETURN json_build_object('needed', needed);
    END IF;`
}

/** The rows of a table that a reset needs: of these blocks of these relations, or all of them. */
type Need = readonly [table: TableId, blocks: readonly (readonly [relation: string, block: number])[] | null]

/** What the function of a reset returned instead of an outcome. */
export function neededBy(row: Row | undefined): readonly Need[] | undefined {
  const outcome = row?.outcome as { readonly needed?: readonly Need[] } | null | undefined
  return outcome?.needed
}

/** Fewer rows are found fast by any plan. */
const FEW_ROWS = 100

/** Reads rows into `ROWS` when a reset needs them. */
export class DeferredRows {
  readonly #connection: Connection
  readonly #program: Program
  #read = 0
  /** Up to how many rows the statistics of `ROWS` are good enough: without, a plan may take hours. */
  #planned = FEW_ROWS

  constructor(connection: Connection, program: Program) {
    this.#connection = connection
    this.#program = program
  }

  /** @throws AfreshError `plan` if the rows cannot be read: the database has to be created again */
  async fetch(needed: readonly Need[]): Promise<void> {
    const { pristine, schema } = this.#program
    if (pristine === undefined) throw new Error('no session defers rows without a pristine copy')
    const settings = settingsSql('SET', resetSettings(this.#program))
    const left = [...needed]
    const fetchAll = () =>
      pristine.use(async (from) => {
        await from.query(settings)
        for (let next = left[0]; next !== undefined; next = left[0]) {
          const [id, blocks] = next
          await this.#fetchTable(from, tableOf(schema, id), blocks)
          left.shift()
        }
      })
    try {
      // The copy, or the session in it, may have ended since it was last used: the second attempt makes another one.
      await fetchAll().catch(fetchAll)
    } catch (cause) {
      const message = `The baseline rows could not be read from a copy of the template: ${messageOf(cause)}.`
      throw new AfreshError('plan', message, { next: 'The next reset creates the database again.', cause })
    }
    if (this.#read <= this.#planned) return
    await this.#connection.query(`ANALYZE ${ROWS}`)
    this.#planned = 2 * this.#read
  }

  async #fetchTable(from: Connection, table: Table, blocks: Need[1]): Promise<void> {
    const to = this.#connection
    const source = blocks === null ? await othersOf(to, table) : rowsOfBlocks(table, blocks)
    const done =
      blocks === null
        ? `UPDATE ${STATE} SET deferred = false WHERE table_oid = ${table.id}`
        : `INSERT INTO ${FETCHED} VALUES ${blocks.map(([rel, block]) => `(${table.id}, ${rel}, ${block})`).join(', ')}`
    await to.query('BEGIN')
    try {
      this.#read += await copyBetween(from, source, to, ROWS)
      await to.query(`${done}; COMMIT`)
    } catch (error) {
      await to.query('ROLLBACK')
      throw error
    }
  }
}

function rowsOfBlocks(table: Table, blocks: NonNullable<Need[1]>): string {
  return blocks
    .map(([relation, block]) =>
      capturedRows(
        table,
        (row) =>
          `${row}.tableoid = ${relation} AND ${row}.ctid >= '(${block},0)' AND ${row}.ctid < '(${block + 1},0)'`,
      ),
    )
    .join(' UNION ALL ')
}

/** All rows but those of blocks that were read before. */
async function othersOf(to: Connection, table: Table): Promise<string> {
  const read = await to.query(`SELECT rel::text, block::text FROM ${FETCHED} WHERE table_oid = ${table.id}`)
  if (read.length === 0) return capturedRows(table)
  const blocks = read.map(({ rel, block }) => `(${String(rel)}, ${String(block)})`).join(', ')
  return capturedRows(
    table,
    (row) => `NOT EXISTS (SELECT FROM (VALUES ${blocks}) AS f (rel, block)
      WHERE f.rel::oid = ${row}.tableoid AND f.block = (${row}.ctid::text::point)[0]::bigint)`,
  )
}
