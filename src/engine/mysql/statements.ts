import { plural } from '../../plan/describe.ts'
import type { Plan, Step } from '../../plan/plan.ts'
import { byId, type Column, type Schema, type Sequence, type Table, tableOf } from '../../schema/schema.ts'
import { nextOf } from './flavor.ts'
import { ident, tableIn } from './quote.ts'

/** Raises error 1242 where it is evaluated, so that a batch stops there. */
export const FAIL = '(SELECT 1 UNION ALL SELECT 2)'

/** One statement can name only a limited number of tables. */
const PROBES_TOGETHER = 250

/** Selects the `ordinal` of each table that has rows. */
export function probe(tables: readonly { readonly ordinal: number; readonly name: string }[]): string[] {
  return unions(
    tables.map(({ ordinal, name }) => `(SELECT ${ordinal} AS ordinal FROM ${ident(name)} LIMIT 1)`),
  )
}

/** Joins selects by UNION ALL, as many as one statement can hold. */
export function unions(selects: readonly string[]): string[] {
  const statements: string[] = []
  for (let from = 0; from < selects.length; from += PROBES_TOGETHER) {
    statements.push(selects.slice(from, from + PROBES_TOGETHER).join(' UNION ALL '))
  }
  return statements
}

/** The columns to write, by name: `*` omits invisible columns and includes generated ones. */
function writable(table: Table): readonly Column[] {
  return table.columns.filter(({ generated }) => !generated)
}

export function columnList(table: Table, alias?: string): string {
  return writable(table)
    .map(({ name }) => (alias === undefined ? ident(name) : `${alias}.${ident(name)}`))
    .join(', ')
}

const TEXTUAL = /^(char|varchar|tinytext|text|mediumtext|longtext|enum|set|json|vector)\b/i
const SPATIAL = /^(geometry|point|linestring|polygon|multi\w+|geom\w*collection)\b/i

/**
 * SQL expression that is equal only for identical values: for a collation, `a` and `A` are equal; for JSON,
 * `1` and `1.0` are. Numbers stay numbers, because a FLOAT loses digits as text.
 */
function exactly({ name, type }: Column, alias: string): string {
  const column = `${alias}.${ident(name)}`
  return TEXTUAL.test(type) || SPATIAL.test(type) ? `CAST(${column} AS BINARY)` : column
}

function sameRow(table: Table, a: string, b: string): string {
  return writable(table)
    .map((column) => `${exactly(column, a)} <=> ${exactly(column, b)}`)
    .join(' AND ')
}

function sameKey(table: Table, a: string, b: string): string {
  return table.primaryKey.map((name) => `${a}.${ident(name)} = ${b}.${ident(name)}`).join(' AND ')
}

/** SQL condition: whether the table differs from its baseline of `rows` rows. Exact. */
export function differs(table: Table, baseline: string, rows: number): string {
  if (table.primaryKey.length === 0) return bagDiffers(table, baseline)
  const name = ident(table.name)
  return (
    `(SELECT COUNT(*) FROM ${name}) <> ${rows} OR EXISTS (SELECT 1 FROM ${name} AS t ` +
    `LEFT JOIN ${tableIn(baseline, table.name)} AS b ON ${sameKey(table, 't', 'b')} WHERE NOT (${sameRow(table, 't', 'b')}))`
  )
}

/** Without a key, equal rows may repeat, so rows are counted by their content. */
function bagDiffers(table: Table, baseline: string): string {
  return `EXISTS (${differing(table, ident(table.name), tableIn(baseline, table.name))})`
}

/** Selects the digests whose number of rows differs between the two tables. */
function differing(table: Table, own: string, baseline: string): string {
  const side = (sign: string, from: string) =>
    `SELECT ${sign} AS n, ${digestOf(table, 't')} AS digest FROM ${from} AS t`
  return `SELECT digest FROM (${side('1', own)} UNION ALL ${side('-1', baseline)}) AS u GROUP BY digest HAVING SUM(n) <> 0`
}

/** Values up to the maximum size of a message: two of them together could not be hashed as one. */
const LONG = /^(tiny|medium|long)?(text|blob)\b|^(json|vector)\b/i

/** SQL expression that is equal only for rows of equal content. */
function digestOf(table: Table, alias: string): string {
  const values = writable(table).map((column) => {
    // FLOAT as text has six digits; `+ 0e0` makes it a DOUBLE, whose text is exact.
    const value = /^float\b/i.test(column.type)
      ? `${alias}.${ident(column.name)} + 0e0`
      : exactly(column, alias)
    const isLong = LONG.test(column.type) || SPATIAL.test(column.type)
    return `COALESCE(${isLong ? `SHA2(${value}, 256)` : `CONCAT(LENGTH(${value}), ':', ${value})`}, '-')`
  })
  return `SHA2(CONCAT(${values.join(', ')}), 256)`
}

/**
 * The SQL of a step; the rows of the first statement are counted.
 *
 * @param baseline the database with the baseline rows
 * @param database the database, if the session is in another one
 */
export function statementsOf(schema: Schema, step: Step, baseline: string, database?: string): string[] {
  switch (step.kind) {
    case 'delete':
      return step.tables.flatMap((id) => emptied(tableOf(schema, id), database))
    case 'truncate':
      return step.tables.flatMap((id) => {
        const table = tableOf(schema, id)
        return isTruncatable(table) ? [truncate(table, database)] : emptied(table, database)
      })
    case 'delete-differing':
      return deleteDiffering(tableOf(schema, step.table), baseline, database)
    case 'insert-missing':
      return step.tables.map((id) => insertMissing(tableOf(schema, id), baseline, database))
    case 'restart':
      return [restart(schema, step, database)]
    case 'check':
      return [check(schema, step, database)]
    case 'refresh':
      return [] // no materialized views
  }
}

/** TRUNCATE of a system-versioned table raises error 4137. */
export function isTruncatable(table: Table): boolean {
  return !table.traits.includes('system-versioned')
}

export function truncate({ name }: Table, database?: string): string {
  return `TRUNCATE TABLE ${tableIn(database, name)}`
}

function emptied(table: Table, database?: string): string[] {
  return [`DELETE FROM ${tableIn(database, table.name)}`, ...deleteHistorySql(table, database)]
}

/** MariaDB keeps the deleted rows of a system-versioned table as history. */
function deleteHistorySql(table: Table, database?: string): string[] {
  return isTruncatable(table) ? [] : [`DELETE HISTORY FROM ${tableIn(database, table.name)}`]
}

function deleteDiffering(table: Table, baseline: string, database?: string): string[] {
  if (table.primaryKey.length === 0) return deleteDifferingUnkeyed(table, baseline, database)
  return [
    `DELETE t FROM ${tableIn(database, table.name)} AS t LEFT JOIN ${tableIn(baseline, table.name)} AS b ` +
      `ON ${sameKey(table, 't', 'b')} WHERE NOT (${sameRow(table, 't', 'b')})`,
    ...deleteHistorySql(table, database),
  ]
}

/** Deletes all rows whose content occurs too often or too rarely; `insertMissing` then finds them missing. */
function deleteDifferingUnkeyed(table: Table, baseline: string, database?: string): string[] {
  const own = tableIn(database, table.name)
  return [
    `DELETE t FROM ${own} AS t JOIN (${differing(table, own, tableIn(baseline, table.name))}) AS d ON d.digest = ${digestOf(table, 't')}`,
    ...deleteHistorySql(table, database),
  ]
}

function insertMissing(table: Table, baseline: string, database?: string): string {
  const own = tableIn(database, table.name)
  const from = tableIn(baseline, table.name)
  const into = `INSERT INTO ${own} (${columnList(table)}) SELECT ${columnList(table, 'b')} FROM ${from} AS b`
  const [key] = table.primaryKey
  if (key === undefined)
    return `${into} JOIN (${differing(table, own, from)}) AS d ON d.digest = ${digestOf(table, 'b')}`
  return `${into} LEFT JOIN ${own} AS t ON ${sameKey(table, 't', 'b')} WHERE t.${ident(key)} IS NULL`
}

function restart(schema: Schema, step: Extract<Step, { kind: 'restart' }>, database?: string): string {
  const sequence = sequenceOf(schema, step.sequence)
  const next = nextOf(step.to, sequence.increment)
  return sequence.kind === 'auto-increment'
    ? `ALTER TABLE ${tableIn(database, sequence.name)} AUTO_INCREMENT = ${next}`
    : `ALTER SEQUENCE ${tableIn(database, sequence.name)} RESTART WITH ${next}`
}

function check(schema: Schema, { foreignKey }: Extract<Step, { kind: 'check' }>, database?: string): string {
  const { from, to, columns, referencedColumns } = foreignKey
  const pairs = columns.map((name, index) => [name, referencedColumns[index] ?? name] as const)
  const join = pairs.map(([child, parent]) => `c.${ident(child)} = p.${ident(parent)}`).join(' AND ')
  const set = columns.map((name) => `c.${ident(name)} IS NOT NULL`).join(' AND ')
  const gone = pairs.slice(0, 1).map(([, parent]) => `p.${ident(parent)} IS NULL`)
  return (
    `SELECT IF(EXISTS (SELECT 1 FROM ${tableIn(database, tableOf(schema, from).name)} AS c LEFT JOIN ` +
    `${tableIn(database, tableOf(schema, to).name)} AS p ON ${join} WHERE ${[set, ...gone].join(' AND ')}), ${FAIL}, 1)`
  )
}

export function sequenceOf(schema: Schema, id: string): Sequence {
  const sequence = byId(schema).sequences.get(id)
  if (sequence === undefined) throw new Error(`no sequence with the id ${id}`)
  return sequence
}

/** The steps of the plan as SQL, for people. */
export function render(schema: Schema, plan: Plan): string[] {
  return plan.steps.map((step) => {
    const sql = statementsOf(schema, step, 'baseline').join(';\n')
    if (step.kind !== 'delete' || step.truncateAlternative === undefined) return sql
    const { tables, threshold } = step.truncateAlternative
    const truncates = tables.map((id) => truncate(tableOf(schema, id))).join('; ')
    return `${sql}\n-- above ${plural(threshold.aboveRows, 'row')}: ${truncates}`
  })
}
