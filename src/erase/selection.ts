import type { EraseDialect, Rows, SelectionTable } from '../engine/erase-dialect.ts'
import { type Table, type TableId, tableOf } from '../schema/schema.ts'
import { deletingInto, type ErasePlan, groupOf, type Link } from './plan.ts'

/**
 * The rows to delete, as SQL: keys never reach the client. Rows of a table that one key leads to are found by
 * a join, from the nearest table above whose rows are stored. The rows of other tables are stored once, in a
 * temporary table of the session.
 */
export class Selections {
  readonly tables: ReadonlyMap<TableId, SelectionTable>
  /** Copies of the tables that one statement names twice, if the engine does not allow to name one twice. */
  readonly copies: ReadonlyMap<TableId, SelectionTable>
  readonly #plan: ErasePlan
  readonly #syntax: EraseDialect

  /** @param sources the number of statements that find rows of the table by the condition */
  constructor(plan: ErasePlan, syntax: EraseDialect, sources: ReadonlyMap<TableId, number>) {
    this.#plan = plan
    this.#syntax = syntax
    this.tables = storedTables(plan, syntax, sources)
    this.copies = copiesOf(plan, syntax, this.tables)
  }

  /** The rows of the table that are deleted. */
  rows(table: TableId): Rows {
    const selection = this.tables.get(table)
    if (selection === undefined) return this.referring(this.#linkInto(table))
    return {
      table: selection.from,
      from: `${selection.name} AS s`,
      on: identical(this.#syntax, selection.from, 'r', storedIn('s')),
    }
  }

  /** The rows that refer to a deleted row by this key. */
  referring(link: Link): Rows {
    const syntax = this.#syntax
    const source = this.#referred(link, 1)
    const on = matching(link, source, 'r', syntax)
    const rows = { table: childOf(this.#plan, link), from: source.from, on }
    const { columns, referencedColumns, to } = link.key
    const [own = '', ...more] = columns
    const [column = ''] = referencedColumns
    if (more.length > 0) return rows
    const referenced = { table: tableOf(this.#plan.schema, to), column }
    return { ...rows, key: { own: syntax.ident(own), theirs: source.column(column), referenced } }
  }

  /** Condition: the row is not among the deleted rows of its table. */
  staying(table: TableId): string | undefined {
    const selection = this.copies.get(table) ?? this.tables.get(table)
    if (selection === undefined) return undefined
    const own = identical(this.#syntax, selection.from, 'r', storedIn('gone'))
    return `NOT EXISTS (SELECT 1 FROM ${selection.name} AS gone WHERE ${own})`
  }

  /**
   * The deleted rows of the table that the link refers to.
   *
   * @param depth the number of links from the first one
   */
  #referred(link: Link, depth: number): Source {
    const syntax = this.#syntax
    const { to } = link.key
    const selection = this.tables.get(to)
    if (selection !== undefined) {
      const { join, column } = referredFrom(this.#plan, syntax, link, selection, 'q', storedIn('s'))
      return { from: `${selection.name} AS s${join === undefined ? '' : ` ${syntax.join} ${join}`}`, column }
    }
    const up = this.#linkInto(to)
    const source = this.#referred(up, depth + 1)
    const alias = `p${depth}`
    const parent = `${syntax.table(childOf(this.#plan, up))} AS ${alias}`
    return {
      from: `${source.from} ${syntax.join} ${parent} ON ${matching(up, source, alias, syntax)}`,
      column: (name) => `${alias}.${syntax.ident(name)}`,
    }
  }

  /** The only link by which rows of the table are deleted. */
  #linkInto(table: TableId): Link {
    const [link] = deletingInto(this.#plan, table)
    if (link === undefined) throw new Error(`nothing leads to the rows of ${table}`)
    return link
  }
}

function storedTables(
  plan: ErasePlan,
  syntax: EraseDialect,
  sources: ReadonlyMap<TableId, number>,
): Map<TableId, SelectionTable> {
  const tables = new Map<TableId, SelectionTable>()
  const stored = plan.groups.flatMap(({ tables: ids }) => ids).filter((id) => isStored(plan, id))
  for (const id of stored) {
    const table = tableOf(plan.schema, id)
    const { columns, isUnique } = syntax.identity(table)
    const referred = plan.links.flatMap(({ key }) => (key.to === id ? key.referencedColumns : []))
    const rest = syntax.copiesCompare ? referred.map(syntax.ident) : []
    const found = (sources.get(id) ?? 0) + linksFromOutside(plan, id).length
    tables.set(id, {
      name: syntax.selectionName(String(tables.size)),
      columns: [...new Set([...columns, ...rest])],
      from: table,
      unique: isUnique && (found > 1 || staysInPart(plan, id)) ? columns.length : 0,
      isList: false,
    })
  }
  return tables
}

function copiesOf(
  plan: ErasePlan,
  syntax: EraseDialect,
  tables: ReadonlyMap<TableId, SelectionTable>,
): Map<TableId, SelectionTable> {
  if (syntax.canReferenceTempTableTwice) return new Map()
  return new Map(
    [...tables].flatMap(([id, selection], index): [TableId, SelectionTable][] =>
      staysInPart(plan, id) ? [[id, { ...selection, name: syntax.selectionName(`${index}_again`) }]] : [],
    ),
  )
}

/** Name of a column of a selection, by its index. */
type Stored = (index: number) => string

export function storedIn(alias: string): Stored {
  return (index) => `${alias}.c${index}`
}

/** Condition: the row is the one whose identity is stored. */
export function identical(syntax: EraseDialect, table: Table, alias: string, stored: Stored): string {
  const { columns, isFilled } = syntax.identity(table)
  const same = isFilled ? (a: string, b: string) => `${a} = ${b}` : syntax.nullSafeEquals
  return columns.map((column, index) => same(`${alias}.${column}`, stored(index))).join(' AND ')
}

/** How to read the referenced columns of a stored row: as stored, or by a join with the row itself. */
export function referredFrom(
  plan: ErasePlan,
  syntax: EraseDialect,
  link: Link,
  selection: SelectionTable,
  alias: string,
  stored: Stored,
): { readonly join: string | undefined; column(name: string): string } {
  if (syntax.copiesCompare && link.key.partition?.to === undefined) {
    return { join: undefined, column: (name) => stored(selection.columns.indexOf(syntax.ident(name))) }
  }
  const parent = { ...tableOf(plan.schema, link.key.to), ...link.key.partition?.to }
  return {
    join: `${syntax.table(parent)} AS ${alias} ON ${identical(syntax, parent, alias, stored)}`,
    column: (name) => `${alias}.${syntax.ident(name)}`,
  }
}

/** Joined tables, and the name of a column of the last one. */
interface Source {
  readonly from: string
  column(name: string): string
}

/** Condition: all columns of the key match. A row with a NULL in the key refers to none. */
export function matching(
  { key }: Link,
  { column }: Pick<Source, 'column'>,
  child: string,
  syntax: EraseDialect,
) {
  const pairs = key.columns.map((name, index) => {
    const operator = key.operators?.[index] ?? '='
    return `${column(key.referencedColumns[index] ?? '')} ${operator} ${child}.${syntax.ident(name)}`
  })
  return pairs.join(' AND ')
}

/** The referring table, or the one partition of it that refers. */
export function childOf({ schema }: ErasePlan, { key }: Link): Table {
  return { ...tableOf(schema, key.from), ...key.partition?.from }
}

/** Rows reached by several paths, in a cycle, or by a condition must be known before any is deleted. */
function isStored(plan: ErasePlan, id: TableId): boolean {
  return (
    plan.targets.includes(id) ||
    staysInPart(plan, id) ||
    groupOf(plan, id).cyclic ||
    deletingInto(plan, id).length > 1 ||
    plan.links.some(({ key }) => key.to === id && key.partition?.to !== undefined)
  )
}

/** Whether referring rows of the table are changed or refused unless they are deleted themselves. */
function staysInPart(plan: ErasePlan, id: TableId): boolean {
  return plan.changed.includes(id) || plan.links.some(({ key, does }) => does === 'refuse' && key.from === id)
}

/** The links by which deleted rows of other groups delete rows of this table. */
export function linksFromOutside(plan: ErasePlan, id: TableId): Link[] {
  const { tables } = groupOf(plan, id)
  return deletingInto(plan, id).filter(({ key }) => !tables.includes(key.to))
}

/** The links by which rows of a group delete each other. */
export function linksWithin(plan: ErasePlan, tables: readonly TableId[]): Link[] {
  return tables.flatMap((id) => deletingInto(plan, id)).filter(({ key }) => tables.includes(key.to))
}
