import type { Plan, Step } from '../../plan/plan.ts'
import type { ForeignKey, Schema, Table, TableId } from '../../schema/schema.ts'
import { tableOf } from '../../schema/schema.ts'
import { fold } from './introspect.ts'
import { seqOf } from './sequences.ts'

/**
 * The baseline's rows are in the connection's own `temp` schema, one table each. Its columns have no type, so
 * that values stay unchanged, and are numbered. `k` is the rowid; a table without one uses its primary key.
 * The names cannot hide a table of the user's.
 */
export function copyOf(table: Table, generation: number): string {
  return `temp.${quoted(copyName(table, generation))}`
}

export function copyName(table: Table, generation: number): string {
  return `afresh:baseline:${generation}:${table.name}`
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

export function nameOf(table: Table): string {
  return `main.${quoted(table.name)}`
}

/** A name for the rowid: columns may have taken the usual ones. */
export function rowidOf(table: Table): string | undefined {
  const columnNames = new Set(table.columns.map(({ name }) => fold(name)))
  return ['rowid', '_rowid_', 'oid'].find((alias) => !columnNames.has(alias))
}

/** Whether the table's rows have an identity, by which they can be restored individually. */
export function hasIdentity(table: Table): boolean {
  return table.traits.includes('without-rowid') || rowidOf(table) !== undefined
}

interface Layout {
  /** The expressions to copy, over a row of the table aliased `m`. */
  readonly sources: readonly string[]
  /** The column names to write back to. */
  readonly targets: readonly string[]
  /** The copy's columns. */
  readonly copies: readonly string[]
  /** The copy's definition. */
  readonly definition: string
  /** A condition: the copy's row `b` has the key of the table's row `m`. */
  readonly found: string
  /** A condition: no row of the table has the key of the copy's row `b`. */
  readonly missing: string
  /** A condition: both rows are equal. */
  readonly same: string
}

function layoutOf(table: Table): Layout {
  const columns = table.columns.filter(({ generated }) => !generated)
  const names = columns.map(({ name }) => quoted(name))
  const copies = names.map((_, index) => `c${index}`)
  // A unary plus removes the column's affinity, so that values are compared without conversion.
  const values = names.map((name) => `+m.${name}`)
  const tuple = (items: readonly string[]) => `(${items.join(', ')})`
  const types = (items: readonly string[]) => tuple(items.map((item) => `typeof(${item})`))
  const same = // `IS` treats 1 and 1.0 as equal. Collation (BINARY) and affinity (none) are the copy's.
    `${tuple(copies.map((copy) => `b.${copy}`))} IS ${tuple(values)} ` +
    `AND ${types(copies.map((copy) => `b.${copy}`))} = ${types(names.map((name) => `m.${name}`))}`
  if (table.traits.includes('without-rowid')) {
    const key = table.primaryKey.map((name) => columns.findIndex((column) => column.name === name))
    const pairs = key.map((index) => ({ copy: `b.c${index}`, name: `m.${names[index]}` }))
    return {
      sources: names.map((name) => `m.${name}`),
      targets: names,
      copies,
      definition: `(${copies.join(', ')}, PRIMARY KEY (${key.map((index) => `c${index}`).join(', ')})) WITHOUT ROWID`,
      found: pairs.map(({ copy, name }) => `${copy} = +${name}`).join(' AND '),
      missing: `NOT EXISTS (SELECT 1 FROM ${nameOf(table)} AS m WHERE ${pairs.map(({ copy, name }) => `${name} = ${copy}`).join(' AND ')})`,
      same,
    }
  }
  const rowid = rowidOf(table) ?? 'rowid'
  return {
    sources: [`m.${rowid}`, ...names.map((name) => `m.${name}`)],
    targets: [rowid, ...names],
    copies: ['k', ...copies],
    definition: `(k INTEGER PRIMARY KEY, ${copies.join(', ')})`,
    found: `b.k = m.${rowid}`,
    // Not NOT EXISTS: an R-tree rejects writes while a cursor is on one of its rows.
    missing: `b.k NOT IN (SELECT m.${rowid} FROM ${nameOf(table)} AS m)`,
    same,
  }
}

/** Creates the copy of a table's rows. */
export function captureSql(table: Table, generation: number): [create: string, fill: string] {
  const { definition, copies, sources } = layoutOf(table)
  const copy = copyOf(table, generation)
  return [
    `CREATE TABLE ${copy} ${definition}`,
    `INSERT INTO ${copy} (${copies.join(', ')}) SELECT ${sources.join(', ')} FROM ${nameOf(table)} AS m`,
  ]
}

/** True for rows `m` that are missing from the baseline or differ in it. */
function isStray(table: Table, generation: number): string {
  const { found, same } = layoutOf(table)
  return `NOT EXISTS (SELECT 1 FROM ${copyOf(table, generation)} AS b WHERE ${found} AND ${same})`
}

/** A condition: the table differs from its baseline of `rows` rows. */
export function isDirtySql(table: Table, generation: number, rows: bigint): string {
  if (rows === 0n) return `EXISTS (SELECT 1 FROM ${nameOf(table)})`
  // Keys are unique on both sides: equal counts without a stray row mean equal rows.
  return (
    `(SELECT count(*) FROM ${nameOf(table)}) <> ${rows} ` +
    `OR EXISTS (SELECT 1 FROM ${nameOf(table)} AS m WHERE ${isStray(table, generation)})`
  )
}

/** The statements of a step, in order; none if the engine runs the step in another way. */
export function statementsOf(schema: Schema, step: Step, generation: number): string[] {
  const table = (id: TableId) => tableOf(schema, id)
  switch (step.kind) {
    case 'delete':
    case 'truncate':
      return step.tables.map((id) => emptySql(table(id)))
    case 'delete-differing':
      return isDerived(table(step.table)) ? [] : [deleteDifferingSql(table(step.table), generation)]
    case 'insert-missing':
      return step.tables.map((id) => insertMissingSql(table(id), generation))
    case 'restart': {
      const name = literal(schema.sequences.find(({ id }) => id === step.sequence)?.name ?? '')
      const seq = seqOf(step.to)
      const remove = `DELETE FROM main.sqlite_sequence WHERE name = ${name}`
      return seq === 0n
        ? [remove]
        : [remove, `INSERT INTO main.sqlite_sequence (name, seq) VALUES (${name}, ${seq})`]
    }
    case 'check':
      return [orphansSql(table(step.foreignKey.from), table(step.foreignKey.to), step.foreignKey)]
    case 'refresh':
      return [] // SQLite has no materialized views
  }
}

export function isDerived(table: Table): boolean {
  return table.traits.includes('derived')
}

function emptySql(table: Table): string {
  if (isDerived(table)) return rebuildSql(table)
  if (table.traits.includes('unreadable')) return commandSql(table, 'delete-all')
  return `DELETE FROM ${nameOf(table)}`
}

function deleteDifferingSql(table: Table, generation: number): string {
  return `DELETE FROM ${nameOf(table)} AS m WHERE ${isStray(table, generation)}`
}

function insertMissingSql(table: Table, generation: number): string {
  if (isDerived(table)) return rebuildSql(table)
  const { targets, copies, missing } = layoutOf(table)
  return (
    `INSERT INTO ${nameOf(table)} (${targets.join(', ')}) ` +
    `SELECT ${copies.map((copy) => `b.${copy}`).join(', ')} FROM ${copyOf(table, generation)} AS b ` +
    `WHERE ${missing}`
  )
}

/**
 * A full-text table accepts commands as inserts into the column of its own name
 * (https://sqlite.org/fts5.html, 6).
 */
function commandSql(table: Table, command: string): string {
  return `INSERT INTO ${nameOf(table)} (${quoted(table.name)}) VALUES (${literal(command)})`
}

function rebuildSql(table: Table): string {
  return commandSql(table, 'rebuild')
}

/** Fails if the index does not match the rows that it indexes; FTS5 compares those only with a rank of 1. */
export function integritySql(table: Table, ranked: boolean): string {
  if (!ranked) return commandSql(table, 'integrity-check')
  return `INSERT INTO ${nameOf(table)} (${quoted(table.name)}, rank) VALUES ('integrity-check', 1)`
}

/** The number of orphans. The parent's column is on the left because its collation decides, as in SQLite. */
function orphansSql(child: Table, parent: Table, { columns, referencedColumns }: ForeignKey): string {
  const set = columns.map((column) => `c.${quoted(column)} IS NOT NULL`).join(' AND ')
  const match = columns
    .map((column, index) => `p.${quoted(referencedColumns[index] ?? '')} = c.${quoted(column)}`)
    .join(' AND ')
  return (
    `SELECT count(*) AS orphans FROM ${nameOf(child)} AS c ` +
    `WHERE ${set} AND NOT EXISTS (SELECT 1 FROM ${nameOf(parent)} AS p WHERE ${match})`
  )
}

export function render(schema: Schema, plan: Plan): string[] {
  return plan.steps.map((step) => statementsOf(schema, step, 1).join(';\n'))
}
