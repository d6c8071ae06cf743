import { concatenated, type Sql } from '../engine/bound-sql.ts'
import type { EraseSyntax, SelectionTable } from '../engine/erase.ts'
import { type Table, type TableId, tableOf } from '../schema/schema.ts'
import { type Builder, creating, selecting } from './filling.ts'
import type { ErasePlan, Group, Link } from './plan.ts'
import { identical, matching, selectionsOf, storedIn } from './selection.ts'
import { joinedTo, type Mark, selectionTask, type Target, type Task, task, withValues } from './task.ts'

export interface TaskOptions {
  readonly mark: Mark | undefined
  /** By table: where its rows are kept. */
  readonly twins: ReadonlyMap<TableId, Table>
  /** Rows are counted before any goes. */
  readonly counts: boolean
  /** Nothing else is done. */
  readonly countsOnly: boolean
}

export interface Tasks {
  readonly tasks: readonly Task[]
  readonly temporary: readonly string[]
  readonly cyclic: boolean
}

/** Everything that an erase does, in order: what goes is known before the first row does. */
export function tasksOf(
  plan: ErasePlan,
  syntax: EraseSyntax,
  targets: readonly Target[],
  { mark, twins, counts, countsOnly }: TaskOptions,
): Tasks {
  const sources = new Map(
    targets.map(({ table, list, conditions }) => [table.id, list === undefined ? conditions.length : 1]),
  )
  const selections = selectionsOf(plan, syntax, sources)
  const builder = { plan, syntax, selections, temporary: [] as string[] }
  const ids = plan.groups.flatMap(({ tables }) => tables)
  const select = plan.groups.toReversed().flatMap((group) => selecting(builder, group, targets))
  const refused = plan.links.filter(({ does, asked }) => does === 'refuse' && asked)
  const before = [
    ...(counts || countsOnly ? ids.map((id) => counting(builder, id)) : []),
    ...refused.map((link) => refusing(builder, link)),
    ...ids.flatMap((id) => archiving(builder, id, twins.get(id))),
  ]
  return {
    tasks: [...select, ...before, ...(countsOnly ? [] : working(builder, mark))],
    temporary: builder.temporary,
    cyclic: plan.cascade !== 'declared' && plan.groups.some(({ cyclic }) => cyclic),
  }
}

function working(builder: Builder, mark: Mark | undefined): Task[] {
  const { plan } = builder
  const ids = plan.groups.flatMap(({ tables }) => tables)
  if (mark !== undefined) return ids.map((id) => marking(builder, id, mark))
  if (plan.cascade !== 'declared') {
    return [
      ...plan.changed.flatMap((id) => changing(builder, id)),
      ...plan.groups.flatMap((group) => deleting(builder, group)),
      ...plan.changed.flatMap((id) => dangling(builder, id)),
    ]
  }
  // The server deletes what refers to these, and changes it; it is only counted.
  return [
    ...plan.changed.flatMap((id) => touching(builder, id, changingFrom(plan, id))),
    ...ids
      .filter((id) => plan.targets.includes(id))
      .map((id) =>
        task('deleted', [id], { sql: builder.syntax.delete(builder.selections.rows(id)), values: [] }),
      ),
  ]
}

/** A bare statement: nothing refers to the rows. */
export function bareTask(syntax: EraseSyntax, { table, as }: Target, condition: Sql): Task {
  const name = `${syntax.family(table)}${as === undefined ? '' : ` AS ${syntax.ident(as)}`}`
  return task(
    'deleted',
    [table.id],
    withValues(syntax, concatenated([`DELETE FROM ${name} WHERE `, condition])),
  )
}

function counting({ syntax, selections }: Builder, id: TableId): Task {
  const sql = `SELECT count(*) AS n0 FROM ${joinedTo(syntax, selections.rows(id))}`
  return task('count', [id], { sql, values: [] }, true)
}

/** Rows that go themselves are in nobody's way. */
function refusing({ syntax, selections }: Builder, link: Link): Task {
  const staying = selections.staying(link.key.from)
  const where = staying === undefined ? '' : ` WHERE ${staying}`
  const sql = `SELECT count(*) AS n0 FROM ${joinedTo(syntax, selections.referring(link))}${where}`
  return { ...task('refused', [link.key.from], { sql, values: [] }, true), link }
}

function archiving({ syntax, selections }: Builder, id: TableId, twin: Table | undefined): Task[] {
  if (twin === undefined) return []
  const rows = selections.rows(id)
  const names = rows.table.columns.map(({ name }) => syntax.ident(name))
  const sql =
    `INSERT INTO ${syntax.family(twin)} (${names.join(', ')}) ` +
    `SELECT ${names.map((name) => `r.${name}`).join(', ')} FROM ${joinedTo(syntax, rows)}`
  return [task('archived', [id], { sql, values: [] })]
}

function marking({ syntax, selections }: Builder, id: TableId, mark: Mark): Task {
  const unmarked = mark.isUnmarked(`r.${syntax.ident(mark.column)}`)
  const update = syntax.update(selections.rows(id), [[mark.column, mark.value]], unmarked)
  return task('marked', [id], withValues(syntax, update))
}

/** Rows that refer to one that goes, and stay, refer to none or to another one afterwards. */
function changing(builder: Builder, id: TableId): Task[] {
  const { plan, syntax, selections } = builder
  const links = changingFrom(plan, id)
  const staying = selections.staying(id)
  const updates = links.map((link): Task => {
    const { table, from, on } = selections.referring(link)
    const columns = link.key.setColumns ?? link.key.columns
    const set = columns.map((column): [string, string] => [
      column,
      link.does === 'set null' ? 'NULL' : syntax.defaultOf(table, column),
    ])
    const rows = { table, from, on: staying === undefined ? on : `${on} AND ${staying}` }
    return task('changed', [id], withValues(syntax, syntax.update(rows, set)))
  })
  return links.length === 1 ? updates : [...touching(builder, id, links), ...updates.map(uncounted)]
}

function changingFrom({ links }: ErasePlan, id: TableId): Link[] {
  return links.filter(({ key, does }) => key.from === id && (does === 'set null' || does === 'set default'))
}

/** A row that refers by several keys counts once. */
function touching(builder: Builder, id: TableId, links: readonly Link[]): Task[] {
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
    const select = `SELECT ${chosen} FROM ${joinedTo(syntax, selections.referring(link))}${where}`
    return task('changed', [id], { sql: syntax.insert(touched, select, isUnique, true), values: [] })
  })
  const create = creating(builder, touched)
  return isUnique ? [...create, ...fill] : [...create, ...fill.map(uncounted), countingAlike(syntax, touched)]
}

/** Rows that nothing tells apart: as many as there are like those that were written down. */
function countingAlike(syntax: EraseSyntax, { name, columns, from }: SelectionTable): Task {
  const stored = columns.map((_, at) => `c${at}`).join(', ')
  const sql = `SELECT count(*) AS n0 FROM (SELECT DISTINCT ${stored} FROM ${name}) AS s ${syntax.join} ${syntax.table(from)} AS r ON ${identical(syntax, from, 'r', storedIn('s'))}`
  return task('changed', [from.id], { sql, values: [] }, true)
}

function deleting({ plan, syntax, selections }: Builder, { tables, cyclic }: Group): Task[] {
  const rows = tables.map((id) => selections.rows(id))
  if (cyclic && tables.length > 1 && syntax.deleteTogether !== undefined) {
    return [task('deleted', tables, { sql: syntax.deleteTogether(rows), values: [] }, true)]
  }
  const deletes = rows.map((one, at) =>
    task('deleted', tables.slice(at, at + 1), { sql: syntax.delete(one), values: [] }),
  )
  if (!cyclic || syntax.unchecked === undefined) return deletes
  const { before, after } = syntax.unchecked
  const [id = ''] = tables
  return [
    selectionTask(before, id),
    ...deletes,
    selectionTask(after, id),
    ...tables.flatMap((table) => missing({ plan, syntax, selections }, table)),
  ]
}

/** Nobody checked what refers to these rows: somebody may have written such a row meanwhile. */
function missing({ plan, syntax, selections }: Omit<Builder, 'temporary'>, table: TableId): Task[] {
  const { locked } = syntax
  if (locked === undefined) return []
  return plan.links
    .filter(({ key }) => key.to === table)
    .map((link) => {
      const sql = locked(`SELECT 1 AS n0 FROM ${joinedTo(syntax, selections.referring(link))} LIMIT 1`)
      return { ...task('missed', [link.key.from], { sql, values: [] }, true), link }
    })
}

/** Nobody checked what a default refers to. */
function dangling({ plan, syntax }: Builder, id: TableId): Task[] {
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
      return { ...task('dangling', [id], { sql, values: [] }, true), link }
    })
}

function uncounted(one: Task): Task {
  return { ...one, about: 'selection' }
}
