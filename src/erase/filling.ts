import { concatenated, type Sql } from '../engine/bound-sql.ts'
import type { EraseSyntax, SelectionTable } from '../engine/erase.ts'
import type { ErasePlan, Group, Link } from './plan.ts'
import { closureOf, columnNames, type Member, treeOf } from './recursion.ts'
import { linksFromOutside, linksWithin, type Selections } from './selection.ts'
import { joinedTo, selectionTask, type Target, type Task, withValues } from './task.ts'

export interface Builder {
  readonly plan: ErasePlan
  readonly syntax: EraseSyntax
  readonly selections: Selections
  readonly temporary: string[]
}

/** Writes down which rows of a group go. */
export function selecting(builder: Builder, group: Group, targets: readonly Target[]): Task[] {
  const { plan, syntax, selections } = builder
  const within = linksWithin(plan, group.tables)
  const written = group.tables.flatMap((id) => selections.tables.get(id) ?? [])
  if (within.length === 0) {
    return written.flatMap((selection) => [
      ...creating(builder, selection),
      ...filling(builder, selection, selection, targets),
      ...finished(builder, selection),
    ])
  }
  const members = written.map((selection, at): Member => {
    const base = { ...selection, name: syntax.selectionName(`${builder.temporary.length}_base_${at}`) }
    return { id: selection.from.id, base }
  })
  const bases = written.flatMap((selection, at) => {
    const base = members[at]?.base ?? selection
    return [
      ...creating(builder, base),
      ...filling(builder, selection, base, targets),
      ...settled(syntax, base),
    ]
  })
  const create = written.flatMap((selection) => creating(builder, selection))
  const closure = closing(builder, members, written, within)
  const around = within.every(({ key }) => key.indexed !== false) ? syntax.byIndex : undefined
  const [first = ''] = group.tables
  const closed =
    around === undefined
      ? closure
      : [selectionTask(around.before, first), ...closure, selectionTask(around.after, first)]
  return [...bases, ...create, ...closed, ...written.flatMap((selection) => finished(builder, selection))]
}

function closing(
  { plan, syntax, temporary }: Builder,
  members: readonly Member[],
  written: readonly SelectionTable[],
  within: readonly Link[],
): Task[] {
  const [member, ...others] = members
  const [link, ...more] = within
  const [selection] = written
  if (member === undefined || link === undefined || selection === undefined)
    throw new Error('no row goes in a cycle')
  if (others.length === 0 && more.length === 0) {
    return [selectionTask(syntax.insert(selection, treeOf(plan, syntax, member, link), false), member.id)]
  }
  const name = syntax.selectionName(`${temporary.length}_all`)
  temporary.push(name)
  const split = written.map((one, at) =>
    selectionTask(
      syntax.insert(
        one,
        `SELECT ${columnNames(members, at)
          .map((column) => `g.${column}`)
          .join(', ')} FROM ${name} AS g WHERE g.t = ${at}`,
        false,
      ),
      one.from.id,
    ),
  )
  return [selectionTask(syntax.createAs(name, closureOf(plan, syntax, members, within)), member.id), ...split]
}

export function creating({ syntax, temporary }: Builder, selection: SelectionTable): Task[] {
  temporary.push(selection.name)
  return syntax.create(selection).map((sql) => selectionTask(sql, selection.from.id))
}

/** The rows that a condition finds, and those that rows of other groups take along. */
function filling(
  { plan, syntax, selections }: Builder,
  { from: table, columns, unique }: SelectionTable,
  into: SelectionTable,
  targets: readonly Target[],
): Task[] {
  const isUnique = unique > 0
  const target = targets.find((one) => one.table.id === table.id)
  const found = target === undefined ? [] : finding(syntax, target, columns)
  const led = linksFromOutside(plan, table.id).map((link): Sql => {
    const chosen = columns.map((column) => `r.${column}`).join(', ')
    return concatenated([`SELECT ${chosen} FROM ${joinedTo(syntax, selections.referring(link))}`])
  })
  return [...found, ...led].map((select) => {
    const { sql, values } = withValues(syntax, select)
    return { ...selectionTask(syntax.insert(into, sql, isUnique), table.id), values }
  })
}

function finding(
  syntax: EraseSyntax,
  { table, as, conditions, list }: Target,
  columns: readonly string[],
): Sql[] {
  if (list !== undefined) {
    const chosen = columns.map((_, at) => `l.c${at}`).join(', ')
    const { columns: own, version } = syntax.identity(table)
    const pairs = [...own, ...(version === undefined ? [] : [version])].map((column) => {
      const at = column === version ? columns.length : columns.indexOf(column)
      return `r.${column} = l.c${at}`
    })
    const still =
      version === undefined ? '' : ` ${syntax.join} ${syntax.table(table)} AS r ON ${pairs.join(' AND ')}`
    const part = `l.n > ${list.after} AND l.n <= ${list.upTo}`
    return [{ texts: [`SELECT ${chosen} FROM ${list.name} AS l${still} WHERE ${part}`], values: [] }]
  }
  const name = `${syntax.table(table)}${as === undefined ? '' : ` AS ${syntax.ident(as)}`}`
  return conditions.map((condition) =>
    concatenated([`SELECT ${columns.join(', ')} FROM ${name} WHERE `, condition]),
  )
}

/** Writes down what the condition finds in a list that stays, so that batches go through it whatever they change. */
export function listing(syntax: EraseSyntax, list: SelectionTable, target: Target): Task[] {
  const order = syntax.identity(target.table).columns.join(', ')
  const fill = finding(syntax, target, list.columns).map((select) => {
    const { sql, values } = withValues(syntax, concatenated([select, ` ORDER BY ${order}`]))
    return {
      ...selectionTask(syntax.insert(list, sql, false), target.table.id),
      values,
      isFinding: true as const,
    }
  })
  return [...syntax.create(list).map((sql) => selectionTask(sql, target.table.id)), ...fill]
}

function finished(builder: Builder, { name, columns, from }: SelectionTable): Task[] {
  const { syntax, selections } = builder
  const copy = selections.copies.get(from.id)
  const all = columns.map((_, at) => `c${at}`).join(', ')
  return [
    ...settled(syntax, { name, from }),
    ...(copy === undefined ? [] : creating(builder, copy)),
    ...(copy === undefined
      ? []
      : [selectionTask(syntax.insert(copy, `SELECT ${all} FROM ${name}`, false), from.id)]),
  ]
}

function settled({ filled }: EraseSyntax, { name, from }: Pick<SelectionTable, 'name' | 'from'>): Task[] {
  return filled === undefined ? [] : [selectionTask(filled(name), from.id)]
}
