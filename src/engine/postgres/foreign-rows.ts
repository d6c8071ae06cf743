import { messageOf, withCleanUp } from '../../errors.ts'
import type { Connection, Row } from '../connection.ts'
import {
  type ForeignRowsOptions,
  LOOK_LOCK_MS,
  type LookBudget,
  lookBudget,
  NO_URL,
} from '../foreign-rows.ts'
import { isMade } from '../ownership-mark.ts'
import { readCatalog } from './catalog.ts'
import { connect } from './connection.ts'
import { OWN_NAMESPACES } from './introspect-sequences.ts'
import { VALID_MARK } from './ownership.ts'
import { IS_UNFINISHED } from './provision.ts'
import { literal, qualified } from './quote.ts'
import { settingsSql } from './settings.ts'

// initdb assigns the lower oids: FirstNormalObjectId in src/include/access/transam.h.
const IS_PRISTINE = `d.datname = 'template0' AND NOT d.datallowconn AND d.oid < 16384`

const SERVER = '(SELECT system_identifier::text FROM pg_catalog.pg_control_system())'

const DATABASES = `SELECT d.oid::text AS oid, d.datname AS name, d.datallowconn AS open, ${SERVER} AS server,
    ${VALID_MARK} AS mark, ${IS_UNFINISHED} AS unfinished
  FROM pg_catalog.pg_database AS d WHERE NOT (${IS_PRISTINE}) ORDER BY d.oid`

/**
 * Relations that may contain rows. An extension's tables count only if their rows are users' data, as the
 * extension declares to pg_dump (`pg_extension_config_dump`): images include PostGIS with thousands of rows.
 */
const RELATIONS = `SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind, x.oid IS NOT NULL AS extension,
    x.xmin::text AS made, x.extcondition[pg_catalog.array_position(x.extconfig, c.oid)] AS condition
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_depend AS e ON e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid
    AND e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND e.deptype = 'e'
  LEFT JOIN pg_catalog.pg_extension AS x ON x.oid = e.refobjid
  WHERE c.relkind IN ('r', 'm', 'f') AND c.relispopulated AND ${OWN_NAMESPACES}
    AND (x.oid IS NULL OR c.oid = ANY (x.extconfig))
  ORDER BY c.oid`

/**
 * Searches, read-only, for the first row in a database that afresh did not create.
 *
 * @returns the location of the row, or what could not be read; `undefined` if every table is empty
 */
export async function foreignRows(
  connection: Connection,
  urlOf: (url: string, database: string) => string,
  { except }: ForeignRowsOptions = {},
): Promise<string | undefined> {
  const { url } = connection
  if (url === undefined) return NO_URL
  const budget = lookBudget()
  const all = await readCatalog(connection, DATABASES)
  const foreign = all.filter(
    ({ name, mark, unfinished }) =>
      name !== except && unfinished !== true && !(typeof mark === 'string' && isMade(mark)),
  )
  const tooMany = budget.databases(foreign.length)
  if (tooMany !== undefined) return tooMany
  for (const row of foreign) {
    const name = String(row.name)
    if (row.open !== true) return `the database "${name}" cannot be inspected, since it allows no connections`
    try {
      const found = await lookInto(urlOf(url, name), row, budget)
      if (found !== undefined) return found
    } catch (error) {
      if (await isGone(connection, String(row.oid))) continue
      return `the database "${name}" cannot be inspected: ${firstLine(error)}`
    }
  }
  return undefined
}

/** Whether the database was dropped after it was listed. */
async function isGone(connection: Connection, oid: string): Promise<boolean> {
  const rows = await readCatalog(connection, `SELECT FROM pg_catalog.pg_database AS d WHERE d.oid = ${oid}`)
  return rows.length === 0
}

async function lookInto(url: string, entry: Row, budget: LookBudget): Promise<string | undefined> {
  const connection = await connect(url, { timeoutMs: budget.leftMs() })
  return withCleanUp(
    async () => {
      const [row] = await connection.query(
        `${settingsSql('SET', [
          ['default_transaction_read_only', 'on'],
          ['row_security', 'off'],
          ['lock_timeout', `${LOOK_LOCK_MS}`],
          ['statement_timeout', `${budget.leftMs()}`],
        ])}; SELECT pg_catalog.current_database() AS name, ${SERVER} AS server`,
      )
      // A pooler, or a host name with several addresses, may lead to another server.
      if (row?.name !== entry.name || row?.server !== entry.server)
        return `its URL leads to "${row?.name}" on the server ${row?.server}`
      return firstRow(connection, String(entry.name), budget)
    },
    () => connection.close(),
  )
}

async function firstRow(
  connection: Connection,
  database: string,
  budget: LookBudget,
): Promise<string | undefined> {
  const within = `in the database "${database}"`
  const relations = await connection.query(RELATIONS)
  const tooMany = budget.tables(relations.length)
  if (tooMany !== undefined) return tooMany
  for (const row of relations) {
    const late = budget.time()
    if (late !== undefined) return late
    const label = `"${row.schema}.${row.name}" ${within}`
    if (row.kind === 'f') return `the foreign table ${label} reads from elsewhere`
    if ((await connection.query(rowOf(row))).length > 0) return `the table ${label} has rows`
  }
  const largeObjects = await connection.query(
    'SELECT 1 AS one FROM pg_catalog.pg_largeobject_metadata LIMIT 1',
  )
  return largeObjects.length > 0 ? `there are large objects ${within}` : undefined
}

/** Selects a row if there is one. Rows inserted by CREATE EXTENSION have the xmin of the extension. */
function rowOf({ schema, name, extension, made, condition }: Row): string {
  const table = qualified({ schema: String(schema), name: String(name) })
  if (extension !== true) return `SELECT 1 AS one FROM ONLY ${table} LIMIT 1`
  return `SELECT 1 AS one FROM (SELECT ${table}.xmin AS made FROM ONLY ${table} ${condition ?? ''}) AS r
    WHERE r.made::pg_catalog.text <> ${literal(String(made))} LIMIT 1`
}

function firstLine(error: unknown): string {
  return messageOf(error).split('\n')[0]?.replace(/\.$/, '') ?? ''
}
