import type {
  Column,
  ForeignKey,
  ReferentialAction,
  Schema,
  Sequence,
  Table,
  TableId,
  TableTrait,
} from '../../schema/schema.ts'
import type { Connection, Row, Survey } from '../engine.ts'
import { flavorOf, type Result } from './connection.ts'
import { ident } from './quote.ts'
import { batch } from './session.ts'
import { probe } from './statements.ts'

/** The marker table of a database that a person adopted; see `ownership.ts`. */
export const MARK_TABLE = 'afresh_mark'

/** Everything of the current database, and only of it. */
export async function introspect(connection: Connection): Promise<Schema> {
  const flavor = await flavorOf(connection)
  const [database, objects, columns, keys, triggers, partitions, indexes, references, rules] = await batch(
    connection,
    CATALOG,
  )
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
  }
  const names = all.flatMap(({ type, name }) => (type === 'SEQUENCE' ? [String(name)] : []))
  const free =
    flavor.sequences === undefined || names.length === 0
      ? []
      : await connection.query(flavor.sequences.catalog(names))
  return {
    tables: listed.map((row) => tableFrom(row, context)),
    foreignKeys: foreignKeysFrom(rowsOf(references), rowsOf(rules), schema),
    sequences: [
      ...listed.flatMap((row) => counterFrom(row, context)),
      ...free.flatMap((row) => {
        const name = names[Number(row.place)]
        return name === undefined || flavor.sequences === undefined
          ? []
          : [flavor.sequences.parse(name, row, schema)]
      }),
    ],
  }
}

/** Which tables have rows, in one query. Checks may always be switched off: it needs no privilege. */
export async function survey(connection: Connection, schema: Schema): Promise<Survey> {
  const tables = schema.tables.filter(({ traits }) => !traits.includes('foreign'))
  const results = await batch(connection, probe(tables.map(({ name }, place) => ({ place, name }))))
  const populated = results
    .flatMap(({ rows }) => rows)
    .flatMap(({ place }) => tables[Number(place)]?.id ?? [])
  return { populated, mayDisableChecks: true }
}

/** The id leaves out the database's own name, so that a template and its clones have the same schema. */
export function tableId(name: string, database?: string): TableId {
  return database === undefined ? ident(name) : `${ident(database)}.${ident(name)}`
}

const HERE = 'table_schema = DATABASE()'

/** Every column has an alias: MySQL 8 names those of information_schema in capitals, whatever the query says. */
const CATALOG = [
  'SELECT DATABASE() AS name',
  `SELECT table_name AS \`table\`, table_name AS name, table_type AS type, engine AS engine, auto_increment AS next
   FROM information_schema.tables
   WHERE ${HERE} AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE') AND table_name <> '${MARK_TABLE}'
   ORDER BY table_name`,
  `SELECT table_name AS \`table\`, column_name AS name, column_type AS type, is_nullable AS nullable, extra AS extra,
     generation_expression AS expression
   FROM information_schema.columns WHERE ${HERE} ORDER BY table_name, ordinal_position`,
  `SELECT table_name AS \`table\`, column_name AS name FROM information_schema.key_column_usage
   WHERE ${HERE} AND constraint_name = 'PRIMARY' ORDER BY table_name, ordinal_position`,
  `SELECT event_object_table AS \`table\`, trigger_name AS name FROM information_schema.triggers
   WHERE trigger_schema = DATABASE() ORDER BY event_object_table, trigger_name`,
  `SELECT DISTINCT table_name AS \`table\`, COALESCE(subpartition_name, partition_name) AS name
   FROM information_schema.partitions WHERE ${HERE} AND partition_name IS NOT NULL ORDER BY 1, 2`,
  `SELECT DISTINCT table_name AS \`table\`, index_name AS name FROM information_schema.statistics
   WHERE ${HERE} AND index_name <> 'PRIMARY' ORDER BY 1, 2`,
  ...foreignKeyQueries(),
]

/**
 * Foreign keys out of this database and into it from others. The two views are joined here, not there: MariaDB
 * reads every table's definition once more for each row of a join.
 */
function foreignKeyQueries(): string[] {
  const both = (columns: string, view: string, own: string, referenced: string) =>
    `SELECT ${columns} FROM information_schema.${view} WHERE ${own} = DATABASE() AND ${referenced} IS NOT NULL
     UNION ALL
     SELECT ${columns} FROM information_schema.${view} WHERE ${own} <> DATABASE() AND ${referenced} = DATABASE()`
  return [
    `${both(
      `table_schema AS from_schema, table_name AS from_table, constraint_name AS name, column_name AS from_column,
       referenced_table_schema AS to_schema, referenced_table_name AS to_table,
       referenced_column_name AS to_column, ordinal_position AS place`,
      'key_column_usage',
      'table_schema',
      'referenced_table_schema',
    )} ORDER BY from_schema, from_table, name, place`,
    both(
      `constraint_schema AS from_schema, table_name AS from_table, constraint_name AS name,
       delete_rule AS on_delete, update_rule AS on_update`,
      'referential_constraints',
      'constraint_schema',
      'unique_constraint_schema',
    ),
  ]
}

interface Catalog {
  readonly schema: string
  readonly columns: ReadonlyMap<string, readonly Row[]>
  readonly keys: ReadonlyMap<string, readonly Row[]>
  readonly triggers: ReadonlyMap<string, readonly Row[]>
  readonly partitions: ReadonlyMap<string, readonly Row[]>
  readonly indexes: ReadonlyMap<string, readonly Row[]>
}

function tableFrom(row: Row, catalog: Catalog): Table {
  const name = String(row.name)
  const namesIn = (of: ReadonlyMap<string, readonly Row[]>) =>
    (of.get(name) ?? []).map((one) => String(one.name))
  const partitions = namesIn(catalog.partitions)
  return {
    id: tableId(name),
    schema: catalog.schema,
    name,
    label: name,
    columns: (catalog.columns.get(name) ?? []).map(columnFrom),
    primaryKey: namesIn(catalog.keys),
    traits: [...traitsOf(row), ...(partitions.length > 0 ? ['partitioned' as const] : [])],
    triggers: namesIn(catalog.triggers),
    inherits: [],
    partitions,
    // Rows and indexes share a file.
    storage: { files: Math.max(1, partitions.length), indexes: namesIn(catalog.indexes).length },
  }
}

const TRANSACTIONAL = new Set(['innodb', 'rocksdb', 'ndbcluster', 'tokudb', 'sequence'])
const REMOTE = new Set(['federated', 'connect', 'spider', 's3', 'oqgraph'])

function traitsOf({ type, engine }: Row): TableTrait[] {
  const kind = String(engine).toLowerCase()
  return [
    ...(type === 'SYSTEM VERSIONED' ? ['system-versioned' as const] : []),
    ...(kind === 'memory' ? ['volatile' as const] : []),
    ...(REMOTE.has(kind) ? ['foreign' as const] : []),
    ...(TRANSACTIONAL.has(kind) || REMOTE.has(kind) ? [] : ['non-transactional' as const]),
  ]
}

function columnFrom({ name, type, nullable, expression }: Row): Column {
  return {
    name: String(name),
    type: String(type),
    nullable: nullable === 'YES',
    // EXTRA says DEFAULT_GENERATED of an ordinary default too.
    generated: expression !== null && expression !== '',
    identity: undefined,
  }
}

function counterFrom(row: Row, { schema, columns }: Catalog): Sequence[] {
  const name = String(row.name)
  const column = columns.get(name)?.find(({ extra }) => /auto_increment/i.test(String(extra)))
  if (column === undefined) return []
  return [
    {
      id: `auto_increment ${ident(name)}`,
      schema,
      name,
      label: `${name}.${String(column.name)}`,
      kind: 'auto-increment',
      ownedBy: { table: tableId(name), column: String(column.name) },
      start: 1n,
      increment: 1n,
      min: 1n,
      max: largest(String(column.type)),
      cache: 1n,
      position: { value: BigInt(String(row.next ?? 1)), called: false },
    },
  ]
}

const BITS: Readonly<Record<string, bigint>> = {
  tinyint: 8n,
  smallint: 16n,
  mediumint: 24n,
  int: 32n,
  bigint: 64n,
}

function largest(type: string): bigint {
  const bits = BITS[/^\w+/.exec(type)?.[0] ?? '']
  // FLOAT and DOUBLE may count too, exactly up to 2^24 and 2^53.
  if (bits === undefined) return 1n << (type.startsWith('float') ? 24n : 53n)
  return (1n << (type.includes('unsigned') ? bits : bits - 1n)) - 1n
}

function foreignKeysFrom(references: readonly Row[], rules: readonly Row[], schema: string): ForeignKey[] {
  const idOf = (database: unknown, table: unknown) =>
    tableId(String(table), database === schema ? undefined : String(database))
  // Names of constraints are unique per table only (MariaDB 12.1 on), so the table is part of the key.
  const keyOf = (row: Row) => JSON.stringify([row.from_schema, row.from_table, row.name])
  const ruleOf = new Map(rules.map((row) => [keyOf(row), row]))
  const columns = new Map<string, Row[]>()
  for (const row of references) columns.set(keyOf(row), [...(columns.get(keyOf(row)) ?? []), row])
  return [...columns].flatMap(([key, parts]) => {
    const [first] = parts
    if (first === undefined) return []
    const rule = ruleOf.get(key)
    return [
      {
        name: String(first.name),
        from: idOf(first.from_schema, first.from_table),
        columns: parts.map((part) => String(part.from_column)),
        to: idOf(first.to_schema, first.to_table),
        referencedColumns: parts.map((part) => String(part.to_column)),
        onDelete: action(rule?.on_delete),
        onUpdate: action(rule?.on_update),
        deferrable: false,
      },
    ]
  })
}

function action(rule: unknown): ReferentialAction {
  return String(rule ?? 'RESTRICT').toLowerCase() as ReferentialAction
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
