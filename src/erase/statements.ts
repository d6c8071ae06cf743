import type { EraseDialect, SelectionTable } from '../engine/erase-dialect.ts'
import { concatenated, type Sql } from '../engine/sql/fragment.ts'
import { type Table, type TableId, tableOf } from '../schema/schema.ts'
import { type Builder, creating, lockOf, selecting } from './collect-rows.ts'
import { counting, refusing, unmarked } from './counting.ts'
import type { ErasePlan, Group, Link } from './plan.ts'
import { identical, matching, Selections, storedIn } from './selection.ts'
import {
  countOf,
  type EraseStatement,
  eraseStatement,
  joinedTo,
  type Mark,
  selectionStatement,
  type Target,
  withValues,
} from './statement.ts'

export interface EraseStatementOptions {
  readonly mark: Mark | undefined
  readonly archives: ReadonlyMap<TableId, Table>
  /** Whether rows are counted before any is deleted. */
  readonly counts: boolean
  /** Whether nothing else is done. */
  readonly countsOnly: boolean
  /** Whether rows that are read are locked, so that no other session changes them before they are deleted. */
  readonly locks: boolean
}

export interface EraseStatements {
  readonly tasks: readonly EraseStatement[]
  readonly temporary: readonly string[]
  readonly cyclic: boolean
}

/** All statements of an erase, in order: the rows to delete are known before the first is deleted. */
export function eraseStatementsOf(
  plan: ErasePlan,
  syntax: EraseDialect,
  targets: readonly Target[],
  { mark, archives, counts, countsOnly, locks }: EraseStatementOptions,
): EraseStatements {
  const sources = new Map(
    targets.map(({ table, list, isByKey = false, conditions }) => [
      table.id,
      list !== undefined && isByKey ? 1 : conditions.length,
    ]),
  )
  const selections = new Selections(plan, syntax, sources)
  const builder = { plan, syntax, selections, temporary: [] as string[], locks }
  const ids = plan.groups.flatMap(({ tables }) => tables)
  const select = plan.groups.toReversed().flatMap((group) => selecting(builder, group, targets))
  const refused = plan.links.filter(({ does, asked }) => does === 'refuse' && asked)
  const before = [
    ...(counts || countsOnly ? ids.map((id) => counting(builder, id, mark)) : []),
    ...refused.map((link) => refusing(builder, link, mark)),
    ...ids.flatMap((id) => archiving(builder, id, archives.get(id))),
  ]
  return {
    tasks: [...select, ...before, ...(countsOnly ? [] : working(builder, mark))],
    temporary: builder.temporary,
    cyclic: plan.cascade !== 'declared' && plan.groups.some(({ cyclic }) => cyclic),
  }
}

function working(builder: Builder, mark: Mark | undefined): EraseStatement[] {
  const { plan } = builder
  const ids = plan.groups.flatMap(({ tables }) => tables)
  if (mark !== undefined) {
    // Rows that refer to marked rows change only if that was requested for the key.
    const changed = plan.changed.flatMap((id) => changing(builder, id))
    return [...changed, ...ids.flatMap((id) => marking(builder, id, mark))]
  }
  if (plan.cascade !== 'declared') {
    return [
      ...plan.changed.flatMap((id) => changing(builder, id)),
      ...plan.groups.flatMap((group) => deleting(builder, group)),
      ...plan.changed.flatMap((id) => dangling(builder, id)),
    ]
  }
  // The server deletes and changes the referring rows; afresh only counts them.
  return [
    ...plan.changed.flatMap((id) => touching(builder, id, changingFrom(plan, id))),
    ...ids
      .filter((id) => plan.targets.includes(id))
      .map((id) =>
        eraseStatement('deleted', [id], {
          sql: builder.syntax.delete(builder.selections.rows(id)),
          values: [],
        }),
      ),
  ]
}

/** One DELETE: nothing refers to the rows. */
export function bareStatement(syntax: EraseDialect, { table, as }: Target, condition: Sql): EraseStatement {
  const name = `${syntax.tableWithInheritors(table)}${as === undefined ? '' : ` AS ${syntax.ident(as)}`}`
  const sql = (before: string, after: string) =>
    withValues(syntax, concatenated([`DELETE FROM ${name} WHERE ${before}`, condition, after]))
  return {
    ...eraseStatement('deleted', [table.id], sql('', '')),
    under: (nested) => sql('(', `) AND ${nested}`).sql,
  }
}

function archiving(builder: Builder, id: TableId, archive: Table | undefined): EraseStatement[] {
  const { syntax, selections } = builder
  if (archive === undefined) return []
  const rows = selections.rows(id)
  const own = new Map(archive.columns.map((column) => [column.name, column]))
  const copied = rows.table.columns.filter(({ name }) => own.get(name)?.generated !== true)
  const names = copied.map(({ name }) => syntax.ident(name))
  const isIdentity = copied.some(({ name }) => own.get(name)?.identity === 'always')
  const sql =
    `INSERT INTO ${syntax.tableWithInheritors(archive)} (${names.join(', ')})${isIdentity ? ' OVERRIDING SYSTEM VALUE' : ''} ` +
    `SELECT ${names.map((name) => `r.${name}`).join(', ')} FROM ${joinedTo(syntax, rows)}${lockOf(builder)}`
  return [eraseStatement('archived', [id], { sql, values: [] })]
}

function marking({ syntax, selections }: Builder, id: TableId, mark: Mark): EraseStatement[] {
  const rows = selections.rows(id)
  const update = syntax.update(rows, [[mark.column, mark.value]], unmarked(syntax, mark))
  const marked = eraseStatement('marked', [id], withValues(syntax, update))
  if (mark.isUnclear === undefined) return [marked]
  const which = mark.isUnclear(`r.${syntax.ident(mark.column)}`)
  const others = concatenated([joinedTo(syntax, rows), ' WHERE ', which])
  return [marked, eraseStatement('unclear', [id], countOf(syntax, others, false), true)]
}

/** Rows that refer to a deleted row, and stay, refer to no row or to another one afterwards. */
function changing(builder: Builder, id: TableId): EraseStatement[] {
  const { plan, syntax, selections } = builder
  const links = changingFrom(plan, id)
  const staying = selections.staying(id)
  const updates = links.map((link): EraseStatement => {
    const { table, from, on } = selections.referring(link)
    const columns = link.key.setColumns ?? link.key.columns
    const set = columns.map((column): [string, string] => [
      column,
      link.does === 'set null' ? 'NULL' : syntax.defaultOf(table, column),
    ])
    const rows = { table, from, on: staying === undefined ? on : `${on} AND ${staying}` }
    return eraseStatement('changed', [id], withValues(syntax, syntax.update(rows, set)))
  })
  return links.length === 1 ? updates : [...touching(builder, id, links), ...updates.map(uncounted)]
}

function changingFrom({ links }: ErasePlan, id: TableId): Link[] {
  return links.filter(({ key, does }) => key.from === id && (does === 'set null' || does === 'set default'))
}

/** Counts a row once that refers by several keys. */
function touching(builder: Builder, id: TableId, links: readonly Link[]): EraseStatement[] {
  const { plan, syntax, selections } = builder
  const table = tableOf(plan.schema, id)
  const { columns, isUnique } = syntax.identity(table)
  const touched: SelectionTable = {
    name: syntax.selectionName(`${builder.temporary.length}_touched`),
    columns,
    from: table,
    unique: isUnique ? columns.length : 0,
    isList: false,
  }
  const staying = selections.staying(id)
  const fill = links.map((link) => {
    const chosen = columns.map((column) => `r.${column}`).join(', ')
    const where = staying === undefined ? '' : ` WHERE ${staying}`
    const select = `SELECT ${chosen} FROM ${joinedTo(syntax, selections.referring(link))}${where}${lockOf(builder)}`
    return eraseStatement('changed', [id], {
      sql: syntax.insert(touched, select, isUnique, true),
      values: [],
    })
  })
  const create = creating(builder, touched)
  return isUnique ? [...create, ...fill] : [...create, ...fill.map(uncounted), countingAlike(syntax, touched)]
}

/** Counts rows without a unique identity: all rows that equal a stored one. */
function countingAlike(syntax: EraseDialect, { name, columns, from }: SelectionTable): EraseStatement {
  const stored = columns.map((_, index) => `c${index}`).join(', ')
  const sql = `SELECT count(*) AS n0 FROM (SELECT DISTINCT ${stored} FROM ${name}) AS s ${syntax.join} ${syntax.table(from)} AS r ON ${identical(syntax, from, 'r', storedIn('s'))}`
  return eraseStatement('changed', [from.id], { sql, values: [] }, true)
}

function deleting(builder: Builder, { tables, cyclic }: Group): EraseStatement[] {
  const { syntax, selections } = builder
  const rows = tables.map((id) => selections.rows(id))
  if (cyclic && tables.length > 1 && syntax.deleteTogether !== undefined) {
    return [eraseStatement('deleted', tables, { sql: syntax.deleteTogether(rows), values: [] }, true)]
  }
  const deletes = rows.map((row, index) =>
    eraseStatement('deleted', tables.slice(index, index + 1), { sql: syntax.delete(row), values: [] }),
  )
  if (!cyclic || syntax.foreignKeyChecksOff === undefined) return deletes
  const { before, after } = syntax.foreignKeyChecksOff
  const [id = ''] = tables
  return [
    selectionStatement(before, id),
    ...deletes,
    selectionStatement(after, id),
    ...tables.flatMap((table) => missing(builder, table)),
  ]
}

/** Foreign keys were not checked: another session may have written a referring row meanwhile. */
function missing({ plan, syntax, selections }: Builder, table: TableId): EraseStatement[] {
  const { locking } = syntax
  if (locking === undefined) return []
  return plan.links
    .filter(({ key }) => key.to === table)
    .map((link) => {
      const sql = `SELECT 1 AS n0 FROM ${joinedTo(syntax, selections.referring(link))} LIMIT 1${locking.suffix}`
      return { ...eraseStatement('missed', [link.key.from], { sql, values: [] }, true), link }
    })
}

/** Foreign keys were not checked: the default may refer to no row. */
function dangling({ plan, syntax }: Builder, id: TableId): EraseStatement[] {
  if (!syntax.checksNoCycle || !plan.groups.some(({ cyclic }) => cyclic)) return []
  return changingFrom(plan, id)
    .filter(({ does }) => does === 'set default')
    .map((link) => {
      const table = tableOf(plan.schema, id)
      const isDefault = link.key.columns.map(
        (column) => `r.${syntax.ident(column)} = ${syntax.defaultOf(table, column)}`,
      )
      const parent = syntax.table(tableOf(plan.schema, link.key.to))
      const match = matching(link, { column: (name) => `p.${syntax.ident(name)}` }, 'r', syntax)
      const sql =
        `SELECT 1 AS n0 FROM ${syntax.table(table)} AS r WHERE ${isDefault.join(' AND ')} ` +
        `AND NOT EXISTS (SELECT 1 FROM ${parent} AS p WHERE ${match}) LIMIT 1`
      return { ...eraseStatement('dangling', [id], { sql, values: [] }, true), link }
    })
}

function uncounted(statement: EraseStatement): EraseStatement {
  return { ...statement, about: 'selection' }
}
