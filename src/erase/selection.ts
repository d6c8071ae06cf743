import type { EraseDialect, Rows, SelectionTable } from '../engine/erase-dialect.ts'
import { type Table, type TableId, tableOf } from '../schema/schema.ts'
import { deletingInto, type ErasePlan, groupOf, type Link } from './plan.ts'

/**
 * Which rows go, as SQL: never a key comes to the client. The rows of a table that one key leads to are told by a join,
 * from the nearest table above whose rows are written down; those of the others are written down, in a table of the
 * session's own, once.
 */
export interface Selections {
  readonly tables: ReadonlyMap<TableId, SelectionTable>
  /** Of those that are asked for twice in a statement, where the engine does not let the same one be. */
  readonly copies: ReadonlyMap<TableId, SelectionTable>
  /** The rows of the table that go. */
  rows(table: TableId): Rows
  /** The rows that refer to one that goes, by this key. */
  referring(link: Link): Rows
  /** That the row is not among those of its own table that go. */
  staying(table: TableId): string | undefined
}

/** @param sources how many statements find rows of the table by the condition */
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
  /** The rows that go from the table that the link refers to. */
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

/** What the column in this place of a selection is called, counted from 0. */
type Stored = (index: number) => string

export function storedIn(alias: string): Stored {
  return (index) => `${alias}.c${index}`
}

/** That it is the very row whose identity is stored there. */
export function identical(syntax: EraseDialect, table: Table, alias: string, stored: Stored): string {
  const { columns, isFilled } = syntax.identity(table)
  const same = isFilled ? (a: string, b: string) => `${a} = ${b}` : syntax.nullSafeEquals
  return columns.map((column, index) => same(`${alias}.${column}`, stored(index))).join(' AND ')
}

/** How the referenced columns are had from a stored row: as they are stored, or by a join with the row itself. */
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

/** Tables joined, and how a column of the last of them is called. */
interface Source {
  readonly from: string
  column(name: string): string
}

/** A referenced row is told by all columns of the key; one that is NULL refers to none. */
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

/** The table that refers, or the one partition of it that does. */
export function childOf({ schema }: ErasePlan, { key }: Link): Table {
  return { ...tableOf(schema, key.from), ...key.partition?.from }
}

/** Over several ways, in a cycle, or by a condition: such rows have to be known before any of them goes. */
function isWrittenDown(plan: ErasePlan, id: TableId): boolean {
  return (
    plan.targets.includes(id) ||
    staysInPart(plan, id) ||
    groupOf(plan, id).cyclic ||
    deletingInto(plan, id).length > 1 ||
    plan.links.some(({ key }) => key.to === id && key.partition?.to !== undefined)
  )
}

/** Something is done with the rows that refer to others that go, unless they go themselves. */
function staysInPart(plan: ErasePlan, id: TableId): boolean {
  return plan.changed.includes(id) || plan.links.some(({ key, does }) => does === 'refuse' && key.from === id)
}

/** The links over which rows of other groups take rows of this table along. */
export function linksFromOutside(plan: ErasePlan, id: TableId): Link[] {
  const { tables } = groupOf(plan, id)
  return deletingInto(plan, id).filter(({ key }) => !tables.includes(key.to))
}

/** The links by which rows of a group take each other along. */
export function linksWithin(plan: ErasePlan, tables: readonly TableId[]): Link[] {
  return tables.flatMap((id) => deletingInto(plan, id)).filter(({ key }) => tables.includes(key.to))
}
