import type { Column, Schema, Table, TableTrait } from '../../schema/schema.ts'
import { now, sleep } from '../../util/clock.ts'
import { defaultFrom } from '../column-default.ts'
import type { Connection, Row } from '../connection.ts'
import type { DatabaseState } from '../resetter.ts'
import { DEFINITION_COUNTS, noteReading, OWN_COUNTS } from './definition-counts.ts'
import { flavorOf } from './flavor-of.ts'
import { foreignKeyQueries, foreignKeysFrom, tableId } from './introspect-keys.ts'
import { indexQuery, otherParts, PART_OF, partFrom, refuseMerged } from './introspect-parts.ts'
import { counterFrom, sequencesOf } from './introspect-sequences.ts'
import type { Result } from './mysql-connection.ts'
import { batch } from './session.ts'
import { probe } from './statements.ts'
import { asTableOpenError, refuseUnopenable, tableInUseError } from './unreadable.ts'

/** The table with the mark of an adopted database; see `ownership.ts`. */
export const MARK_TABLE = 'afresh_mark'

const READ_WITHIN_MS = 5_000
const AGAIN_MS = 20
/** Longer than most sessions keep a table locked; after that, afresh asks the server for the cause. */
const ASK_MS = 300

/**
 * Reads the schema of the current database, and only of that one.
 *
 * @throws AfreshError `blocked` if another session keeps a table from being read for 5 s, `plan` if the
 *   server cannot open a table
 */
export async function introspect(connection: Connection): Promise<Schema> {
  const start = now()
  for (let askAfter = ASK_MS; ; ) {
    const { schema, incomplete } = await readCatalog(connection)
    if (incomplete.length === 0) return schema
    if (now() - start > askAfter) {
      await refuseUnopenable(connection, incomplete)
      askAfter += READ_WITHIN_MS / 2
    }
    if (now() - start > READ_WITHIN_MS) throw tableInUseError(incomplete, READ_WITHIN_MS)
    await sleep(AGAIN_MS)
  }
}

/** `incomplete`: tables that were listed, but not described in full. */
interface Reading {
  readonly schema: Schema
  readonly incomplete: readonly string[]
}

/**
 * MariaDB reads its catalog from the files of the tables: while another session changes a table (TRUNCATE,
 * ALTER), some queries omit it. A schema without its columns would pass for the real one.
 */
function incompleteIn(listed: readonly Row[], { columns, keys, indexes, partitions }: Catalog): string[] {
  return listed.flatMap(({ name, engine, options }) => {
    const table = String(name)
    const own = columns.get(table) ?? []
    const has = (key: string) => own.some((column) => column.key === key)
    const isWhole =
      own.length > 0 &&
      engine !== null &&
      (!has('PRI') || (keys.get(table) ?? []).length > 0) &&
      (!(has('PRI') || has('UNI') || has('MUL')) || indexes.has(table)) &&
      (!/\bpartitioned\b/.test(String(options)) || partitions.has(table))
    return isWhole ? [] : [table]
  })
}

async function readCatalog(connection: Connection): Promise<Reading> {
  const flavor = await flavorOf(connection)
  const [
    counts,
    ownCounts,
    database,
    objects,
    columns,
    keys,
    triggers,
    partitions,
    references,
    rules,
    indexes,
    ...others
  ] = await batch(connection, [
    DEFINITION_COUNTS,
    OWN_COUNTS,
    ...CATALOG,
    indexQuery(flavor),
    ...otherParts(flavor),
  ])
  const parts = others.flatMap(rowsOf)
  const schema = String(rowsOf(database)[0]?.name ?? '')
  const all = rowsOf(objects)
  const listed = all.filter(({ type }) => type !== 'SEQUENCE')
  const context = {
    schema,
    columns: grouped(rowsOf(columns)),
    keys: grouped(rowsOf(keys)),
    triggers: grouped(rowsOf(triggers)),
    partitions: grouped(rowsOf(partitions)),
    indexes: grouped(rowsOf(indexes)),
    others: grouped(parts.filter(({ table }) => table !== null)),
  }
  const found: Schema = {
    foldsTableNames: Number(rowsOf(database)[0]?.folds) !== 0,
    tables: listed.map((row) => tableFrom(row, context)),
    foreignKeys: foreignKeysFrom(rowsOf(references), rowsOf(rules), schema),
    sequences: [
      ...listed.flatMap((row) => counterFrom(row, context)),
      ...(await sequencesOf(
        connection,
        all.filter(({ type }) => type === 'SEQUENCE'),
        context,
      )),
    ],
    parts: parts.filter(({ table }) => table === null).map((row) => partFrom(row, schema)),
  }
  refuseMerged(found)
  noteReading(found, rowsOf(counts), rowsOf(ownCounts))
  return { schema: found, incomplete: flavor.name === 'mariadb' ? incompleteIn(listed, context) : [] }
}

/** Finds the tables that have rows. Switching checks off needs no privilege. */
export async function inspectState(connection: Connection, schema: Schema): Promise<DatabaseState> {
  const tables = schema.tables.filter(({ traits }) => !traits.includes('foreign'))
  const results = await batch(
    connection,
    probe(tables.map(({ name }, index) => ({ ordinal: index, name }))),
  ).catch((error: unknown) => {
    throw asTableOpenError(error)
  })
  const populated = results
    .flatMap(({ rows }) => rows)
    .flatMap(({ ordinal }) => tables[Number(ordinal)]?.id ?? [])
  return { populated, mayDisableChecks: true }
}

const HERE = 'table_schema = DATABASE()'

/** Every column has an alias: MySQL 8 returns the column names of information_schema in capitals. */
const CATALOG = [
  'SELECT DATABASE() AS name, @@lower_case_table_names AS folds',
  `SELECT table_name AS \`table\`, table_name AS name, table_type AS type, engine AS engine, auto_increment AS next,
     create_options AS options,
     ${PART_OF.table}
   FROM information_schema.tables
   WHERE ${HERE} AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE') AND table_name <> '${MARK_TABLE}'
   ORDER BY table_name`,
  `SELECT table_name AS \`table\`, column_name AS name, column_type AS type, is_nullable AS nullable, extra AS extra,
     column_key AS \`key\`, column_default AS \`default\`,
     generation_expression AS expression, ${PART_OF.column}
   FROM information_schema.columns WHERE ${HERE} ORDER BY table_name, ordinal_position`,
  `SELECT table_name AS \`table\`, column_name AS name FROM information_schema.key_column_usage
   WHERE ${HERE} AND constraint_name = 'PRIMARY' ORDER BY table_name, ordinal_position`,
  `SELECT event_object_table AS \`table\`, trigger_name AS name, ${PART_OF.trigger} FROM information_schema.triggers
   WHERE trigger_schema = DATABASE() ORDER BY event_object_table, trigger_name`,
  `SELECT DISTINCT table_name AS \`table\`, COALESCE(subpartition_name, partition_name) AS name, ${PART_OF.partition}
   FROM information_schema.partitions WHERE ${HERE} AND partition_name IS NOT NULL ORDER BY 1, 2`,
  ...foreignKeyQueries(),
]

interface Catalog {
  readonly schema: string
  readonly columns: ReadonlyMap<string, readonly Row[]>
  readonly keys: ReadonlyMap<string, readonly Row[]>
  readonly triggers: ReadonlyMap<string, readonly Row[]>
  readonly partitions: ReadonlyMap<string, readonly Row[]>
  readonly indexes: ReadonlyMap<string, readonly Row[]>
  readonly others: ReadonlyMap<string, readonly Row[]>
}

function tableFrom(row: Row, catalog: Catalog): Table {
  const name = String(row.name)
  const namesIn = (of: ReadonlyMap<string, readonly Row[]>) =>
    (of.get(name) ?? []).map((row) => String(row.name))
  const partitions = namesIn(catalog.partitions)
  return {
    id: tableId(name),
    schema: catalog.schema,
    name,
    label: name,
    columns: (catalog.columns.get(name) ?? []).map(columnFrom),
    primaryKey: namesIn(catalog.keys),
    traits: [
      ...traitsOf(row, catalog.columns.get(name) ?? []),
      ...(partitions.length > 0 ? ['partitioned' as const] : []),
    ],
    triggers: namesIn(catalog.triggers),
    inherits: [],
    partitions,
    // InnoDB stores rows and indexes in one file.
    storage: {
      files: Math.max(1, partitions.length),
      indexes: namesIn(catalog.indexes).filter((index) => index !== 'PRIMARY').length,
    },
    parts: [row, ...partRows(catalog, name)].map((part) => partFrom(part, catalog.schema)),
  }
}

function partRows({ columns, indexes, partitions, triggers, others }: Catalog, table: string): Row[] {
  return [columns, indexes, partitions, triggers, others].flatMap((rows) => rows.get(table) ?? [])
}

const TRANSACTIONAL = new Set(['innodb', 'rocksdb', 'ndbcluster', 'tokudb', 'sequence'])
const REMOTE = new Set(['federated', 'connect', 'spider', 's3', 'oqgraph'])

function traitsOf({ type, engine }: Row, columns: readonly Row[]): TableTrait[] {
  const kind = String(engine).toLowerCase()
  return [
    ...(type === 'SYSTEM VERSIONED' ? ['system-versioned' as const] : []),
    ...(kind === 'memory' ? ['volatile' as const] : []),
    ...(REMOTE.has(kind) ? ['foreign' as const] : []),
    ...(kind === 'archive' ? ['append-only' as const] : []),
    ...(columns.some(({ name }) => name === 'FTS_DOC_ID') ? ['ascending' as const] : []),
    ...(TRANSACTIONAL.has(kind) || REMOTE.has(kind) ? [] : ['non-transactional' as const]),
  ]
}

function columnFrom({ name, type, nullable, expression, default: value }: Row): Column {
  return {
    name: String(name),
    type: String(type),
    nullable: nullable === 'YES',
    // EXTRA contains DEFAULT_GENERATED for an ordinary default as well.
    generated: expression !== null && expression !== '',
    identity: undefined,
    ...defaultFrom(value),
  }
}

function rowsOf(result: Result | undefined): Row[] {
  return result?.rows ?? []
}

function grouped(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const table = String(row.table)
    const group = groups.get(table)
    if (group === undefined) groups.set(table, [row])
    else group.push(row)
  }
  return groups
}
