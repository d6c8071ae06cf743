import { types } from 'node:util'
import type { Column } from '../../schema/schema.ts'
import type { EraseDialect, Rows } from '../erase-dialect.ts'
import { boundValue, concatenated, joined } from '../sql/fragment.ts'
import { session } from './erase-session.ts'
import { ident, only, qualified } from './quote.ts'

/** Identifies a row without a primary key by its location, which is stable within afresh's transaction. */
const PLACE = { tableoid: 'oid', ctid: 'tid' } as const

/** Disabled while rows are found by index, then restored: a client's own transaction may continue. */
const JOINS = ['enable_hashjoin', 'enable_mergejoin']

export const erase: EraseDialect = {
  ident,
  table: only,
  tableWithInheritors: qualified,
  join: 'JOIN',
  placeholder: (index) => `$${index}`,
  bind(value) {
    if (typeof value === 'bigint') return String(value)
    // The driver recognizes dates by their class, which every realm has separately.
    return types.isDate(value) ? new Date(value) : value
  },
  // The driver sends an array as one value, which takes the type of the operand.
  oneOf: (operand, values) => concatenated([`${operand} = ANY (`, boundValue(values), ')']),
  // Not IN, which becomes a parse tree as deep as there are rows: it overflows the stack at 30,000 rows, in
  // PGlite at 500.
  oneOfRows(operands, rows) {
    const pairs = (row: readonly unknown[]) =>
      operands.map((operand, index) => concatenated([`${operand} = `, boundValue(row[index])]))
    const each = rows.map((row) => concatenated(['(', joined(pairs(row), ' AND '), ')']))
    return concatenated(['(', joined(each, ' OR '), ')'])
  },
  maxValues: 60_000,

  identity: ({ primaryKey }) =>
    primaryKey.length > 0
      ? { columns: primaryKey.map(ident), isUnique: true, isFilled: true }
      : { columns: Object.keys(PLACE), isUnique: true, isFilled: true, version: 'xmin' },
  copiesCompare: true,
  nullSafeEquals: (a, b) => `${a} IS NOT DISTINCT FROM ${b}`,
  cast(expression, { columns }, name) {
    const type =
      PLACE[name as keyof typeof PLACE] ?? columns.find((column) => ident(column.name) === name)?.type
    return `CAST(${expression} AS ${type})`
  },

  canReferenceTempTableTwice: true,
  selectionName: (name) => `pg_temp.afresh_erase_${name}`,
  create({ name, columns, from, unique, isList }) {
    const chosen = columns.map((column, index) => `r.${column} AS c${index}`).join(', ')
    const bare = name.replace('pg_temp.', '')
    const keys = Array.from({ length: unique }, (_, index) => `c${index}`)
    return [
      `CREATE TEMPORARY TABLE ${bare} ON COMMIT ${isList ? 'PRESERVE ROWS' : 'DROP'} AS SELECT ${chosen} FROM ${only(from)} AS r LIMIT 0`,
      ...(unique > 0 ? [`CREATE UNIQUE INDEX ON ${name} (${keys.join(', ')})`] : []),
      ...(isList ? [`ALTER TABLE ${name} ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY`] : []),
    ]
  },
  createAs: (name, select) =>
    `CREATE TEMPORARY TABLE ${name.replace('pg_temp.', '')} ON COMMIT DROP AS ${select}`,
  insert({ name, columns }, select, isUnique) {
    const names = columns.map((_, index) => `c${index}`).join(', ')
    return `INSERT INTO ${name} (${names}) ${select}${isUnique ? ' ON CONFLICT DO NOTHING' : ''}`
  },
  // No other session can analyze temporary tables, autovacuum included.
  analyze: (name) => `ANALYZE ${name}`,
  byIndex: {
    before: settingJoins((name) => [
      set(`afresh.${name}`, `pg_catalog.current_setting('${name}')`),
      set(name, "'off'"),
    ]),
    after: settingJoins((name) => [set(name, `pg_catalog.current_setting('afresh.${name}')`)]),
  },
  // Does not disable joins, because the subqueries of a condition may need them.
  byKey: {
    before: `SELECT ${set('afresh.random_page_cost', "pg_catalog.current_setting('random_page_cost')")}, ${set('random_page_cost', "'0.2'")}`,
    after: `SELECT ${set('random_page_cost', "pg_catalog.current_setting('afresh.random_page_cost')")}`,
  },
  drop: (name) => `DROP TABLE IF EXISTS ${name}`,

  delete: deleteRows,
  // Foreign keys are checked at the end of the statement, when the rows of all tables are gone.
  deleteTogether(all) {
    const parts = all.map((rows, index) => `d${index} AS (${deleteRows(rows)} RETURNING 1)`)
    const counts = all.map((_, index) => `(SELECT count(*) FROM d${index}) AS n${index}`)
    return `WITH ${parts.join(', ')} SELECT ${counts.join(', ')}`
  },
  foreignKeyChecksOff: undefined,
  checksNoCycle: false,
  update({ table, from, on }, set, which) {
    const assignments = set.flatMap(([column, value], index) => [
      `${index === 0 ? '' : ', '}${ident(column)} = `,
      value,
    ])
    const condition = which === undefined ? [] : [' AND ', which]
    return concatenated([
      `UPDATE ${only(table)} AS r SET `,
      ...assignments,
      ` FROM ${from} WHERE ${on}`,
      ...condition,
    ])
  },
  defaultOf: () => 'DEFAULT',
  locking: {
    suffix: ' FOR UPDATE',
    count: {
      before: 'SELECT count(*) AS n0 FROM (SELECT 1 AS one FROM ',
      after: ' FOR UPDATE) AS found',
    },
    before: (tables) => `LOCK TABLE ${tables.map(only).join(', ')} IN SHARE ROW EXCLUSIVE MODE`,
  },
  createLike: (table, name) =>
    `CREATE TABLE ${qualified({ schema: table.schema, name })} AS SELECT * FROM ${only(table)} LIMIT 0`,
  dates: undefined,
  async kindOf(connection, name) {
    const [row] = await connection.query(
      `SELECT c.relkind::text AS kind FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
       WHERE $1::pg_catalog.text OPERATOR(pg_catalog.=) ANY (ARRAY[c.relname::pg_catalog.text, pg_catalog.concat(n.nspname, '.', c.relname)])
         AND n.nspname::pg_catalog.text OPERATOR(pg_catalog.<>) ALL (ARRAY['pg_catalog', 'information_schema', 'pg_toast'])`,
      [name],
    )
    return KINDS[String(row?.kind)]
  },
  async clock(connection) {
    const [row] = await connection.query(
      `SELECT pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) AS now, pg_catalog.current_setting('TimeZone') AS zone, pg_catalog.date_part('epoch', '2026-01-01'::pg_catalog.timestamptz) AS winter, pg_catalog.date_part('epoch', '2026-07-01'::pg_catalog.timestamptz) AS summer`,
    )
    const isUtc = Number(row?.winter) === 1_767_225_600 && Number(row?.summer) === 1_782_864_000
    return { now: new Date(Number(row?.now) * 1000), zone: isUtc ? undefined : String(row?.zone) }
  },
  hasZone: (column) => /with time zone|timestamptz/i.test(storedType(column)),
  isTime: (column) => /^(timestamp|date$)/i.test(storedType(column)),
  isBefore(column, time, zone) {
    const type = storedType(column)
    const instant = `'${time.toISOString()}'::pg_catalog.timestamptz`
    const isUtc = zone === 'utc' && !erase.hasZone(column)
    const local = isUtc ? `pg_catalog.timezone('UTC', ${instant})` : instant
    // A day is over when the next one begins.
    const cast = /^date$/i.test(type)
      ? '::pg_catalog.date'
      : /without/i.test(type)
        ? '::pg_catalog.timestamp'
        : ''
    return `${ident(column.name)} < ${local}${cast}`
  },
  isNoTime: undefined,
  timeOf: (time) => `'${time.toISOString()}'::pg_catalog.timestamptz`,

  session,
}

/** `pg_class.relkind` */
const KINDS: Readonly<Record<string, string>> = {
  v: 'a view',
  m: 'a materialized view',
  S: 'a sequence',
  c: 'a composite type',
  i: 'an index',
  I: 'an index',
  f: 'a foreign table',
}

function storedType({ type, baseType }: Column): string {
  return baseType ?? type
}

function deleteRows({ table, from, on }: Rows): string {
  return `DELETE FROM ${only(table)} AS r USING ${from} WHERE ${on}`
}

function settingJoins(to: (name: string) => readonly string[]): string {
  return `SELECT ${JOINS.flatMap(to).join(', ')}`
}

function set(name: string, value: string): string {
  return `pg_catalog.set_config('${name}', ${value}, true)`
}
