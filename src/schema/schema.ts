/**
 * In: what an engine introspects.
 * Out: the catalog as plain data.
 * Called by everything above; pure.
 */

/** The catalog of one database as plain data, for all engines. JSON, except for `bigint`s of sequences. */
export interface Schema {
  readonly tables: readonly Table[]
  readonly foreignKeys: readonly ForeignKey[]
  readonly sequences: readonly Sequence[]
  /** Views, routines, events and the like. Absent if the engine detects changes in another way. */
  readonly parts?: readonly Part[]
  /** Table names are case-insensitive (SQLite; MySQL with `lower_case_table_names`). */
  readonly foldsTableNames?: boolean
}

/** Unique within one database, and stable while the table exists. Not for display. */
export type TableId = string
export type SequenceId = string

export interface Table {
  readonly id: TableId
  /** The namespace: schema in PostgreSQL, database in MySQL, `main` in SQLite. */
  readonly schema: string
  readonly name: string
  /** For display: `name`, or `schema.name` outside the engine's default schema. */
  readonly label: string
  readonly columns: readonly Column[]
  /** In key order; empty without a primary key. */
  readonly primaryKey: readonly string[]
  readonly traits: readonly TableTrait[]
  /** User-defined triggers and rules that fire on writes, by name. */
  readonly triggers: readonly string[]
  /** Inheritance parents (PostgreSQL). Partitions are not listed as tables of their own. */
  readonly inherits: readonly TableId[]
  /** Labels of all partitions, at any depth. */
  readonly partitions: readonly string[]
  /** Absent if the engine does not choose between DELETE and TRUNCATE. */
  readonly storage?: Storage
  /** The rest of the definition, to detect changes. Absent if the engine detects them in another way. */
  readonly parts?: readonly Part[]
}

/** A part of a definition that plans do not depend on: a default, an index, a trigger's text, a view. */
export interface Part {
  /** For display: `the trigger "stamp"`. */
  readonly label: string
  readonly text: string
}

/** What the cost of emptying a table depends on. */
export interface Storage {
  /** The files that TRUNCATE recreates, of all partitions: the heap, the TOAST table, every index. */
  readonly files: number
  /** Indexes besides the primary key. */
  readonly indexes: number
}

/** What makes a table different from an ordinary one. */
export type TableTrait =
  | 'partitioned'
  /** A materialized view: its rows are computed from other tables by REFRESH. */
  | 'materialized'
  /** A materialized view that is unreadable until it is refreshed (WITH NO DATA). */
  | 'unfilled'
  /** A table of its hierarchy is foreign: the rows are on another server. */
  | 'foreign'
  /** A rule for its rows uses a foreign table (PostgreSQL). */
  | 'rule-on-foreign'
  | 'unlogged'
  /** Owned by an extension, not by the user. */
  | 'extension'
  /** Has a foreign key that is NOT ENFORCED (PostgreSQL 18). */
  | 'unenforced'
  | 'row-security'
  /** MariaDB: deleted rows are kept as history. */
  | 'system-versioned'
  /** Rows are lost when the server stops (MySQL's MEMORY). */
  | 'volatile'
  /** A storage engine without transactions, such as MyISAM. */
  | 'non-transactional'
  /** Rows can be neither deleted nor truncated (MySQL's ARCHIVE). */
  | 'append-only'
  /** MySQL: rejects a row whose FTS_DOC_ID is lower than an earlier one, until the table is truncated. */
  | 'ascending'
  /** SQLite: only the primary key identifies rows. */
  | 'without-rowid'
  /** SQLite: a full-text index over the rows of another table (external content). */
  | 'derived'
  /** SQLite: a contentless full-text index, whose rows cannot be read. */
  | 'unreadable'

export interface Column {
  readonly name: string
  /** In the engine's notation. */
  readonly type: string
  readonly nullable: boolean
  /** Computed by the server; never written. */
  readonly generated: boolean
  /** `GENERATED ALWAYS AS IDENTITY`: written only with `OVERRIDING SYSTEM VALUE`. */
  readonly identity: 'always' | 'by default' | undefined
  /** A type to cast to if the text of the column's own type is ambiguous (PostgreSQL's regproc). */
  readonly exactType?: string
  /** The type that a domain is based on (PostgreSQL). */
  readonly baseType?: string
  /** The default as SQL, if it is not NULL. Absent for columns that are never NULL (PostgreSQL). */
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
  /** The columns of SET NULL and SET DEFAULT, if not all (PostgreSQL 15 and later). */
  readonly setColumns?: readonly string[]
  /** `false`: NOT ENFORCED (PostgreSQL 18 and later). */
  readonly enforced?: false
  /** `false`: no index starts with its columns, so finding referencing rows scans the whole table. */
  readonly indexed?: false
  /** Comparison operators by column, the referenced column on the left, if `=` may be ambiguous. */
  readonly operators?: readonly string[]
  /** The partitions at its ends, if the key is declared on, or references, a partition. */
  readonly partition?: { readonly from?: PartitionName; readonly to?: PartitionName }
}

export interface PartitionName {
  readonly schema: string
  readonly name: string
}

/** Any generator of numbers: a sequence, an identity column, AUTO_INCREMENT, AUTOINCREMENT. */
export interface Sequence {
  readonly id: SequenceId
  readonly schema: string
  readonly name: string
  readonly label: string
  readonly kind: 'sequence' | 'auto-increment'
  /** The owning column; `undefined` for a standalone sequence. */
  readonly ownedBy: { readonly table: TableId; readonly column: string } | undefined
  readonly start: bigint
  readonly increment: bigint
  readonly min: bigint
  readonly max: bigint
  /** How many values a session reserves at once. */
  readonly cache: bigint
  readonly position: Position
  /** Everything but the position, to detect changes. Absent if the engine detects them in another way. */
  readonly definition?: string
}

/** `called`: `value` has been handed out; otherwise it is the next value. */
export interface Position {
  readonly value: bigint
  readonly called: boolean
}

/** A table or sequence: anything that can be dirty. */
export type SubjectId = TableId | SequenceId

/** The column without its default, which neither rows nor plans depend on. */
export function withoutDefault({ default: _, ...column }: Column): Column {
  return column
}

/** The table with this id. Throws if the schema does not contain it, which is a programming error. */
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

/** The tables and sequences of a schema by id. Schemas are immutable, so the index is built once. */
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
