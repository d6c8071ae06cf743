import { type Family, TENANT, tableOf } from './tree.ts'

type Chain = Exclude<Family, 'stash'>

/** Deletes children first, with nested subqueries. */
export function nestedDeletes(family: Chain, depth: number): string[] {
  return fromTheLeaves(depth).map(
    (level) => `DELETE FROM ${tableOf(family, level)} WHERE ${condition(family, level)}`,
  )
}

function condition(family: Chain, level: number): string {
  if (level === 1) return `tenant = ${TENANT}`
  return `parent IN (SELECT id FROM ${tableOf(family, level - 1)} WHERE ${condition(family, level - 1)})`
}

/** The same with joins, for PostgreSQL. */
export function usingDeletes(family: Chain, depth: number): string[] {
  return fromTheLeaves(depth).map((level) => {
    const above = aboveOf(family, level)
    const using = above.length === 0 ? '' : ` USING ${above.toReversed().join(', ')}`
    const pairs = linksUpTo(family, level)
    return `DELETE FROM ${tableOf(family, level)}${using} WHERE ${[...pairs, root(family)].join(' AND ')}`
  })
}

/** The same with joins, for MySQL and MariaDB. */
export function joinDeletes(family: Chain, depth: number): string[] {
  return fromTheLeaves(depth).map((level) => {
    const [first = '', ...others] = [...aboveOf(family, level), tableOf(family, level)]
    const joins = others.map((table, index) => ` JOIN ${table} ON ${linksUpTo(family, level)[index]}`)
    return `DELETE ${tableOf(family, level)} FROM ${first}${joins.join('')} WHERE ${root(family)}`
  })
}

function aboveOf(family: Chain, level: number): string[] {
  return Array.from({ length: level - 1 }, (_, index) => tableOf(family, index + 1))
}

function linksUpTo(family: Chain, level: number): string[] {
  return Array.from(
    { length: level - 1 },
    (_, index) => `${tableOf(family, index + 2)}.parent = ${tableOf(family, index + 1)}.id`,
  )
}

function root(family: Chain): string {
  return `${tableOf(family, 1)}.tenant = ${TENANT}`
}

function fromTheLeaves(depth: number): number[] {
  return Array.from({ length: depth }, (_, index) => depth - index)
}
