import type { EraseDialect, Rows, SelectionTable } from '../engine/erase-dialect.ts'
import { type Table, type TableId, tableOf } from '../schema/schema.ts'
import { deletingInto, type ErasePlan, groupOf, type Link } from './plan.ts'

/**
 * The rows to delete, as SQL: keys never reach the client. Rows of a table that one key leads to are found by
 * a join, from the nearest table above whose rows are stored. The rows of other tables are stored once, in a
 * temporary table of the session.
 */
export interface Selections {
  readonly tables: ReadonlyMap<TableId, SelectionTable>
  /** Copies of the tables that one statement names twice, if the engine does not allow to name one twice. */
  readonly copies: ReadonlyMap<TableId, SelectionTable>
  /** The rows of the table that are deleted. */
  rows(table: TableId): Rows
  /** The rows that refer to a deleted row by this key. */
  referring(link: Link): Rows
  /** Condition: the row is not among the deleted rows of its table. */
  staying(table: TableId): string | undefined
}

/** @param sources the number of statements that find rows of the table by the condition */
export function selectionsOf(
  plan: ErasePlan,
  syntax: EraseDialect,
  sources: ReadonlyMap<TableId, number>,
): Selections {
  const { schema } = plan
  const tables = new Map<TableId, SelectionTable>()
  const writtenDown = plan.groups.flatMap(({ tables: ids }) => ids).filter((id) => isWrittenDown(plan, id))
  for (const id of writtenDown) {
    const table = tableOf(schema, id)
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

  const copyName = (id: TableId) => syntax.selectionName(`${[...tables.keys()].indexOf(id)}_again`)
  /** The deleted rows of the table that the link refers to. */
  const above = (link: Link, depth: number): Source => {
    const { to } = link.key
    const selection = tables.get(to)
    if (selection === undefined) {
      const [up] = deletingInto(plan, to)
      if (up === undefined) throw new Error(`nothing leads to the rows of ${to}`)
      const source = above(up, depth + 1)
      const alias = `p${depth}`
      return {
        from: `${source.from} ${syntax.join} ${syntax.table(childOf(plan, up))} AS ${alias} ON ${matching(up, source, alias, syntax)}`,
        column: (name) => `${alias}.${syntax.ident(name)}`,
      }
    }
    const { join, column } = referredFrom(plan, syntax, link, selection, 'q', storedIn('s'))
    return { from: `${selection.name} AS s${join === undefined ? '' : ` ${syntax.join} ${join}`}`, column }
  }

  const referring = (link: Link): Rows => {
    const source = above(link, 1)
    const rows = { table: childOf(plan, link), from: source.from, on: matching(link, source, 'r', syntax) }
    const { columns, referencedColumns, to } = link.key
    const [own = '', ...more] = columns
    const [column = ''] = referencedColumns
    if (more.length > 0) return rows
    const referenced = { table: tableOf(schema, to), column }
    return { ...rows, key: { own: syntax.ident(own), theirs: source.column(column), referenced } }
  }

  const copies = new Map(
    [...tables].flatMap(([id, selection]): [TableId, SelectionTable][] =>
      syntax.canReferenceTempTableTwice || !staysInPart(plan, id)
        ? []
        : [[id, { ...selection, name: copyName(id) }]],
    ),
  )
  return {
    tables,
    copies,
    referring,
    rows(id) {
      const selection = tables.get(id)
      if (selection !== undefined) {
        return {
          table: selection.from,
          from: `${selection.name} AS s`,
          on: identical(syntax, selection.from, 'r', storedIn('s')),
        }
      }
      const [link] = deletingInto(plan, id)
      if (link === undefined) throw new Error(`nothing leads to the rows of ${id}`)
      return referring(link)
    },
    staying(id) {
      const selection = copies.get(id) ?? tables.get(id)
      if (selection === undefined) return undefined
      const own = identical(syntax, selection.from, 'r', storedIn('gone'))
      return `NOT EXISTS (SELECT 1 FROM ${selection.name} AS gone WHERE ${own})`
    },
  }
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
function isWrittenDown(plan: ErasePlan, id: TableId): boolean {
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
