import type { EraseDialect, SelectionTable } from '../engine/erase-dialect.ts'
import { tableOf } from '../schema/schema.ts'
import type { ErasePlan, Link } from './plan.ts'
import { childOf, matching, referredFrom, storedIn } from './selection.ts'

/** A table of a group, with the rows that the recursion starts from. */
export interface Member {
  readonly id: string
  /** The rows that are reached from outside of the group. */
  readonly base: SelectionTable
}

/** Recursive query for everything that can be reached within one table that refers to itself by one key. */
export function treeOf(plan: ErasePlan, syntax: EraseDialect, { base }: Member, link: Link): string {
  const names = base.columns.map((_, index) => `c${index}`)
  const { join, column } = referredFrom(plan, syntax, link, base, 'q', storedIn('s'))
  return `WITH RECURSIVE gone (${names.join(', ')}) AS (
  SELECT ${names.map((name) => `b.${name}`).join(', ')} FROM ${base.name} AS b
  UNION
  SELECT ${base.columns.map((name) => `r.${name}`).join(', ')}
  FROM gone AS s${join === undefined ? '' : ` ${syntax.join} ${join}`} ${syntax.join} ${syntax.table(childOf(plan, link))} AS r ON ${matching(link, { column }, 'r', syntax)}
) SELECT ${names.join(', ')} FROM gone`
}

/**
 * The same for several tables or keys. All rows go through one recursion, each with the number `t` of its
 * table and with the columns of all tables: a query may refer to itself only once (PostgreSQL). So each row
 * is combined with every key in turn (`x.e`), and outer joins find the rows that refer to it. The server
 * keeps the joined tables from one level to the next, including hash tables.
 */
export function closureOf(
  plan: ErasePlan,
  syntax: EraseDialect,
  members: readonly Member[],
  links: readonly Link[],
): string {
  const placeOf = (id: string) => members.findIndex((member) => member.id === id)
  const names = members.flatMap((_, index) => columnNames(members, index))
  const bases = members.map(({ base }, own) => {
    const columns = members.flatMap((member, index) =>
      member.base.columns.map((column, c) =>
        index === own ? `b.c${c}` : syntax.cast('NULL', tableOf(plan.schema, member.id), column),
      ),
    )
    return `SELECT ${own} AS t, ${columns.join(', ')} FROM ${base.name} AS b`
  })
  const reached = members.flatMap((member) =>
    member.base.columns.map((column) => {
      const cases = links.flatMap(({ key }, e) =>
        key.from === member.id ? [`WHEN ${e} THEN r${e}.${column}`] : [],
      )
      return syntax.cast(chosen(cases, 'NULL'), tableOf(plan.schema, member.id), column)
    }),
  )
  const joins = links.map((link, e) => {
    const parent = placeOf(link.key.to)
    const base = members[parent]?.base
    if (base === undefined) throw new Error(`the key ${link.key.name} leads out of its group`)
    const turn = `x.e = ${e} AND s.t = ${parent}`
    const { join, column } = referredFrom(
      plan,
      syntax,
      link,
      base,
      `q${e}`,
      (index) => `s.m${parent}c${index}`,
    )
    return `${join === undefined ? '' : `LEFT JOIN ${join} AND ${turn} `}LEFT JOIN ${syntax.table(childOf(plan, link))} AS r${e} ON ${turn} AND ${matching(link, { column }, `r${e}`, syntax)}`
  })
  const turns = links.map((_, e) => `SELECT ${e}${e === 0 ? ' AS e' : ''}`).join(' UNION ALL ')
  const found = links.map(
    ({ key }, e) => `WHEN ${e} THEN r${e}.${syntax.ident(key.columns[0] ?? '')} IS NOT NULL`,
  )
  return `WITH RECURSIVE gone (t, ${names.join(', ')}) AS (
  ${bases.join(' UNION ')}
  UNION
  SELECT ${chosen(
    links.map(({ key }, e) => `WHEN ${e} THEN ${placeOf(key.from)}`),
    '0',
  )}, ${reached.join(', ')}
  FROM gone AS s CROSS JOIN (${turns}) AS x
  ${joins.join('\n  ')}
  WHERE ${chosen(found, '')}
) SELECT t, ${names.join(', ')} FROM gone`
}

/** Names of one member's columns in the closure. */
export function columnNames(members: readonly Member[], index: number): string[] {
  return (members[index]?.base.columns ?? []).map((_, c) => `m${index}c${c}`)
}

function chosen(cases: readonly string[], otherwise: string): string {
  return cases.length === 0 ? otherwise : `CASE x.e ${cases.join(' ')} END`
}
