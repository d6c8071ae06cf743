import type { EraseDialect, SelectionTable } from '../engine/erase-dialect.ts'
import { concatenated, type Sql } from '../engine/sql/fragment.ts'
import { tableOf } from '../schema/schema.ts'
import type { ErasePlan, Group, Link } from './plan.ts'
import { closureOf, columnNames, type Member, treeOf } from './recursion.ts'
import { identical, linksFromOutside, linksWithin, type Selections } from './selection.ts'
import { type EraseStatement, joinedTo, selectionStatement, type Target, withValues } from './statement.ts'

export interface Builder {
  readonly plan: ErasePlan
  readonly syntax: EraseDialect
  readonly selections: Selections
  readonly temporary: string[]
  /** Whether rows that are read are locked. */
  readonly locks: boolean
}

export function lockOf({ syntax, locks }: Pick<Builder, 'syntax' | 'locks'>): string {
  return locks ? (syntax.locking?.suffix ?? '') : ''
}

/** Stores which rows of a group are deleted. */
export function selecting(builder: Builder, group: Group, targets: readonly Target[]): EraseStatement[] {
  const { plan, syntax, selections } = builder
  const within = linksWithin(plan, group.tables)
  const written = group.tables.flatMap((id) => selections.tables.get(id) ?? [])
  if (within.length === 0) {
    return written.flatMap((selection) => [
      ...creating(builder, selection),
      ...collectInto(builder, selection, selection, targets),
      ...finished(builder, selection),
    ])
  }
  const members = written.map((selection, index): Member => {
    const base = { ...selection, name: syntax.selectionName(`${builder.temporary.length}_base_${index}`) }
    return { id: selection.from.id, base }
  })
  const bases = written.flatMap((selection, index) => {
    const base = members[index]?.base ?? selection
    return [
      ...creating(builder, base),
      ...collectInto(builder, selection, base, targets),
      ...settled(syntax, base),
    ]
  })
  const create = written.flatMap((selection) => creating(builder, selection))
  const closure = closing(builder, members, written, within)
  const around = within.every(({ key }) => key.indexed !== false) ? syntax.byIndex : undefined
  const [first = ''] = group.tables
  const lock = builder.locks
    ? syntax.locking?.before(group.tables.map((id) => tableOf(plan.schema, id)))
    : undefined
  const closed =
    around === undefined
      ? closure
      : [selectionStatement(around.before, first), ...closure, selectionStatement(around.after, first)]
  return [
    ...(lock === undefined ? [] : [selectionStatement(lock, first)]),
    ...bases,
    ...create,
    ...closed,
    ...written.flatMap((selection) => finished(builder, selection)),
  ]
}

function closing(
  { plan, syntax, temporary }: Builder,
  members: readonly Member[],
  written: readonly SelectionTable[],
  within: readonly Link[],
): EraseStatement[] {
  const [member, ...others] = members
  const [link, ...more] = within
  const [selection] = written
  if (member === undefined || link === undefined || selection === undefined)
    throw new Error('no row goes in a cycle')
  if (others.length === 0 && more.length === 0) {
    return [
      selectionStatement(syntax.insert(selection, treeOf(plan, syntax, member, link), false), member.id),
    ]
  }
  const name = syntax.selectionName(`${temporary.length}_all`)
  temporary.push(name)
  const split = written.map((candidate, selection) =>
    selectionStatement(
      syntax.insert(
        candidate,
        `SELECT ${columnNames(members, selection)
          .map((column) => `g.${column}`)
          .join(', ')} FROM ${name} AS g WHERE g.t = ${selection}`,
        false,
      ),
      candidate.from.id,
    ),
  )
  return [
    selectionStatement(syntax.createAs(name, closureOf(plan, syntax, members, within)), member.id),
    ...split,
  ]
}

export function creating({ syntax, temporary }: Builder, selection: SelectionTable): EraseStatement[] {
  temporary.push(selection.name)
  return syntax.create(selection).map((sql) => selectionStatement(sql, selection.from.id))
}

/** Collects the rows that a condition finds, and those that are deleted because of rows in other groups. */
function collectInto(
  builder: Builder,
  { from: table, columns, unique }: SelectionTable,
  into: SelectionTable,
  targets: readonly Target[],
): EraseStatement[] {
  const { plan, syntax, selections } = builder
  const isUnique = unique > 0
  const target = targets.find((target) => target.table.id === table.id)
  const found = target === undefined ? [] : finding(syntax, target, columns)
  const led = linksFromOutside(plan, table.id).map((link): Sql => {
    const chosen = columns.map((column) => `r.${column}`).join(', ')
    return concatenated([`SELECT ${chosen} FROM ${joinedTo(syntax, selections.referring(link))}`])
  })
  const inserting = (select: Sql): EraseStatement => {
    const { sql, values } = withValues(syntax, concatenated([select, lockOf(builder)]))
    return { ...selectionStatement(syntax.insert(into, sql, isUnique), table.id), values }
  }
  const byKey = target?.list === undefined ? undefined : syntax.byKey
  return [
    ...(byKey === undefined ? [] : [selectionStatement(byKey.before, table.id)]),
    ...found.map(inserting),
    ...(byKey === undefined ? [] : [selectionStatement(byKey.after, table.id)]),
    ...led.map(inserting),
  ]
}

function finding(syntax: EraseDialect, target: Target, columns: readonly string[]): Sql[] {
  const { table, as, conditions, list, isByKey = false } = target
  const name = `${syntax.table(table)}${as === undefined ? '' : ` AS ${syntax.ident(as)}`}`
  const chosen = columns.join(', ')
  if (list === undefined) {
    return conditions.map((condition) => concatenated([`SELECT ${chosen} FROM ${name} WHERE `, condition]))
  }
  // Names that no condition uses: the columns in a condition are always those of the table.
  const { columns: own, version, isUnique } = syntax.identity(table)
  const listed = [...own, ...(version === undefined ? [] : [version])]
  const kept = (index: number) => `afresh_list.afresh_${index}`
  const all = listed.map((_, index) => `l.c${index} AS afresh_${index}`).join(', ')
  const part = `SELECT ${isUnique ? '' : 'DISTINCT '}${all} FROM ${list.name} AS l WHERE l.n > ${list.after} AND l.n <= ${list.upTo}`
  const alias = syntax.ident(as ?? table.name)
  const same = [
    identical(syntax, table, alias, kept),
    ...(version === undefined ? [] : [`${alias}.${version} = ${kept(own.length)}`]),
  ].join(' AND ')
  const qualified = columns.map((column) => `${alias}.${column}`).join(', ')
  const found = `SELECT ${qualified} FROM (${part}) AS afresh_list ${syntax.join} ${name} ON ${same}`
  // Since they were listed, rows may have changed, and others that the condition queries.
  if (isByKey) return [{ texts: [found], values: [] }]
  return conditions.map((condition) => concatenated([`${found} WHERE `, condition]))
}

/** Stores what the condition finds in a list that lasts for all batches, whatever they change. */
export function listing(syntax: EraseDialect, list: SelectionTable, target: Target): EraseStatement[] {
  const order = syntax.identity(target.table).columns.join(', ')
  const fill = finding(syntax, target, list.columns).map((select) => {
    const { sql, values } = withValues(syntax, concatenated([select, ` ORDER BY ${order}`]))
    return {
      ...selectionStatement(syntax.insert(list, sql, false), target.table.id),
      values,
      isFinding: true as const,
    }
  })
  return [
    ...syntax.create(list).map((sql) => selectionStatement(sql, target.table.id)),
    ...fill,
    ...settled(syntax, list),
  ]
}

function finished(builder: Builder, { name, columns, from }: SelectionTable): EraseStatement[] {
  const { syntax, selections } = builder
  const copy = selections.copies.get(from.id)
  const all = columns.map((_, index) => `c${index}`).join(', ')
  return [
    ...settled(syntax, { name, from }),
    ...(copy === undefined ? [] : creating(builder, copy)),
    ...(copy === undefined
      ? []
      : [selectionStatement(syntax.insert(copy, `SELECT ${all} FROM ${name}`, false), from.id)]),
  ]
}

function settled(
  { analyze: filled }: EraseDialect,
  { name, from }: Pick<SelectionTable, 'name' | 'from'>,
): EraseStatement[] {
  return filled === undefined ? [] : [selectionStatement(filled(name), from.id)]
}
