/**
 * The catalog of one database as plain data: what afresh knows of it, whichever engine it came from.
 * Everything here is JSON but for the `bigint`s of sequence positions.
 */
export interface Schema {
  readonly tables: readonly Table[]
  readonly foreignKeys: readonly ForeignKey[]
  readonly sequences: readonly Sequence[]
  /** What is of no table: views, routines, events; absent where the engine tells of changes by other means. */
  readonly parts?: readonly Part[]
  /** Names of tables mean the same in upper and lower case (SQLite; MySQL with `lower_case_table_names`). */
  readonly foldsTableNames?: boolean
}

/** Unique within one database and stable while the table exists; not meant for people. */
export type TableId = string
export type SequenceId = string

export interface Table {
  readonly id: TableId
  /** The namespace: a schema of PostgreSQL, the database in MySQL, `main` in SQLite. */
  readonly schema: string
  readonly name: string
  /** For people: `name`, or `schema.name` outside the engine's default schema. */
  readonly label: string
  readonly columns: readonly Column[]
  /** In key order; empty without a primary key. */
  readonly primaryKey: readonly string[]
  readonly traits: readonly TableTrait[]
  /** User-defined triggers and rules that fire on writes, by name. */
  readonly triggers: readonly string[]
  /** Inheritance parents (PostgreSQL); partitions are not tables of their own here. */
  readonly inherits: readonly TableId[]
  /** The label of every partition, at any depth, of a partitioned table. */
  readonly partitions: readonly string[]
  /** Absent where there is no choice between DELETE and TRUNCATE. */
  readonly storage?: Storage
  /** What else makes the table what it is, so that a change is noticed; absent where the engine tells by other means. */
  readonly parts?: readonly Part[]
}

/** Something of a definition that no plan goes by: a default, an index, a trigger's text, a view. */
export interface Part {
  /** For people: `the trigger "stamp"`. */
  readonly label: string
  readonly text: string
}

/** What emptying a table costs by. */
export interface Storage {
  /** The files that TRUNCATE makes anew, those of all partitions: the rows, the TOAST table, every index. */
  readonly files: number
  /** Indexes besides the primary key. */
  readonly indexes: number
}

/** What makes a table different from an ordinary one. */
export type TableTrait =
  | 'partitioned'
  /** A materialised view: its rows are computed from other tables, when somebody says so. */
  | 'materialized'
  /** A materialised view that cannot be read before it is refreshed (WITH NO DATA). */
  | 'unfilled'
  /** Some table in its hierarchy is foreign: its rows live on another server. */
  | 'foreign'
  | 'unlogged'
  /** Belongs to an extension; not the user's. */
  | 'extension'
  /** It refers to another by a foreign key that is NOT ENFORCED (PostgreSQL 18). */
  | 'unenforced'
  | 'row-security'
  /** MariaDB: deleted rows stay as history. */
  | 'system-versioned'
  /** Rows vanish with the server (MySQL's MEMORY). */
  | 'volatile'
  /** No transactions (MyISAM and its like). */
  | 'non-transactional'
  /** Rows can neither be deleted nor truncated (MySQL's ARCHIVE). */
  | 'append-only'
  /** MySQL: a row with a lower FTS_DOC_ID than any before it is refused, until the table is truncated. */
  | 'ascending'
  /** SQLite: rows are known by the primary key alone. */
  | 'without-rowid'
  /** SQLite: a full-text index over rows that stand in another table. */
  | 'derived'
  /** SQLite: a contentless full-text index, whose rows cannot be read back. */
  | 'unreadable'

export interface Column {
  readonly name: string
  /** As the engine writes it. */
  readonly type: string
  readonly nullable: boolean
  /** Computed by the server: never written. */
  readonly generated: boolean
  /** `GENERATED ALWAYS AS IDENTITY`: written only by `OVERRIDING SYSTEM VALUE`. */
  readonly identity: 'always' | 'by default' | undefined
  /** The type that tells its value exactly, where its own names two values alike (PostgreSQL's regproc). */
  readonly exactType?: string
  /** Its default as SQL, where the engine has no word for it in an UPDATE (SQLite). */
  readonly default?: string
}

export type ReferentialAction = 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default'

export interface ForeignKey {
  readonly name: string
  /** The referencing table. */
  readonly from: TableId
  readonly columns: readonly string[]
  /** The referenced table. */
  readonly to: TableId
  readonly referencedColumns: readonly string[]
  readonly onDelete: ReferentialAction
  readonly onUpdate: ReferentialAction
  readonly deferrable: boolean
  /** The columns that SET NULL and SET DEFAULT are about, where not all (PostgreSQL 15 and later). */
  readonly setColumns?: readonly string[]
  /** `false`: the server looks at no row (NOT ENFORCED, PostgreSQL 18 and later). */
  readonly enforced?: false
  /** `false`: no index begins with its columns, so that what refers to a row is found by reading the whole table. */
  readonly indexed?: false
  /** By column: the operator that compares, referenced column on its left, where `=` alone may mean another one. */
  readonly operators?: readonly string[]
  /** The partition that it is declared on, or refers to, where not the whole table. */
  readonly partition?: { readonly from?: PartitionName; readonly to?: PartitionName }
}

export interface PartitionName {
  readonly schema: string
  readonly name: string
}

/** Anything that hands out numbers: a sequence, an identity column, AUTO_INCREMENT, AUTOINCREMENT. */
export interface Sequence {
  readonly id: SequenceId
  readonly schema: string
  readonly name: string
  readonly label: string
  readonly kind: 'sequence' | 'auto-increment'
  /** The column that owns it; a free sequence has none. */
  readonly ownedBy: { readonly table: TableId; readonly column: string } | undefined
  readonly start: bigint
  readonly increment: bigint
  readonly min: bigint
  readonly max: bigint
  /** How many values a session takes at once. */
  readonly cache: bigint
  readonly position: Position
  /** All that it is but for its position, so that a change is noticed; absent where the engine tells by other means. */
  readonly definition?: string
}

/** Where a sequence stands: `value` was handed out already (`called`) or is the next one. */
export interface Position {
  readonly value: bigint
  readonly called: boolean
}

/** Anything that can be dirty. */
export type SubjectId = TableId | SequenceId

/** The table with this id. Throws when the schema does not have it: a programming error. */
export function tableOf(schema: Schema, id: TableId): Table {
  const table = byId(schema).tables.get(id)
  if (table === undefined) throw new Error(`no table with the id ${id}`)
  return table
}

interface Index {
  readonly tables: ReadonlyMap<TableId, Table>
  readonly sequences: ReadonlyMap<SequenceId, Sequence>
}

const indexes = new WeakMap<Schema, Index>()

/** The tables and sequences of a schema by their ids. A schema never changes, so they are sorted once. */
export function byId(schema: Schema): Index {
  const known = indexes.get(schema)
  if (known !== undefined) return known
  const index = {
    tables: new Map(schema.tables.map((table) => [table.id, table])),
    sequences: new Map(schema.sequences.map((sequence) => [sequence.id, sequence])),
  }
  indexes.set(schema, index)
  return index
}
