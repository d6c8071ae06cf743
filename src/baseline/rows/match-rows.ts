import type { RowSource } from '../../engine/bulk-insert.ts'
import { AfreshError } from '../../errors.ts'
import { tablesCalled } from '../../schema/filter.ts'
import type { Column, Schema, Table } from '../../schema/schema.ts'
import { nearest } from '../../util/nearest.ts'
import type { FileRows } from './file-rows.ts'

/**
 * The table and the columns of the database that the rows of a file are for.
 *
 * @throws AfreshError `baseline` for a table or column that does not exist or cannot be written
 */
export function matched(schema: Schema, rows: FileRows): RowSource {
  const table = tableFor(schema, rows)
  const columns = rows.columns.map((name) => columnFor(table, rows, name))
  const twice = columns.find((column, index) => columns.indexOf(column) !== index)
  if (twice !== undefined)
    throw refused(rows, table, twice.name, 'the column is named twice', 'Remove one of them.')
  if (columns.length === 0) {
    throw refused(
      rows,
      table,
      undefined,
      'the row has no value',
      'Name one column at least; all others get their default.',
    )
  }
  return { file: rows.file, table, columns, batches: rows.batches }
}

function tableFor(schema: Schema, { file, line, table: name }: FileRows): Table {
  const [table, ...others] = tablesCalled(schema, name)
  const position = `${file}:${line}: `
  if (table === undefined) {
    const labels = schema.tables.map(({ label }) => label)
    const near = nearest(name, labels)
    const hint =
      near === undefined
        ? 'Name the file after its table'
        : `Is it ${near}? The file is named after its table`
    throw new AfreshError('baseline', `${position}there is no table ${JSON.stringify(name)}.`, {
      next: `${hint} (orders.csv, shop.orders.csv), or JSON and YAML name it themselves. ${listed('Tables', labels)}`,
    })
  }
  if (others.length > 0) {
    throw new AfreshError('baseline', `${position}there are several tables ${JSON.stringify(name)}.`, {
      next: `Say which: ${[table, ...others].map(({ schema: own }) => `${own}.${name}`).join(', ')}.`,
    })
  }
  const computed = table.traits.find((trait) => COMPUTED.includes(trait))
  if (computed === undefined) return table
  throw new AfreshError('baseline', `${position}the rows of ${table.label} are computed from other tables.`, {
    next: 'Name the tables that they come from.',
  })
}

const COMPUTED: readonly string[] = ['materialized', 'derived', 'unreadable']

/** A name without quotes is the same in any case on most servers, so a name that differs in case only will do. */
function columnFor(table: Table, rows: FileRows, name: string): Column {
  const { columns } = table
  const sameLetters = columns.filter((column) => column.name.toLowerCase() === name.toLowerCase())
  const found =
    columns.find((column) => column.name === name) ?? (sameLetters.length === 1 ? sameLetters[0] : undefined)
  if (found === undefined) {
    const names = columns.map((column) => column.name)
    const near = nearest(name, names)
    const separator = /[;\t|]/.test(name) ? 'Values are separated by commas. ' : ''
    const hint = near === undefined ? '' : `Is it ${near}? `
    throw refused(
      rows,
      table,
      name,
      'there is no such column',
      `${separator}${hint}${listed('Columns', names)}`,
    )
  }
  if (!found.generated) return found
  throw refused(rows, table, name, 'the server computes this column', 'Remove it from the file.')
}

function refused(
  { file, line }: FileRows,
  { label }: Table,
  column: string | undefined,
  problem: string,
  next: string,
): AfreshError {
  return new AfreshError('baseline', `${positionText({ file, line, table: label, column })}: ${problem}.`, {
    next,
  })
}

const LISTED = 20

function listed(title: string, names: readonly string[]): string {
  const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : ''
  return `${title}: ${names.slice(0, LISTED).join(', ') || 'none'}${more}.`
}

/** `fixtures/orders.csv:3, table orders, column amount`, as far as it is known. */
export function positionText(position: {
  readonly file: string | undefined
  readonly line: number | undefined
  readonly table: string | undefined
  readonly column: string | undefined
}): string {
  const { file, line, table, column } = position
  return [
    ...(file === undefined ? [] : [line === undefined ? file : `${file}:${line}`]),
    ...(table === undefined ? [] : [`table ${table}`]),
    ...(column === undefined ? [] : [`column ${column}`]),
  ].join(', ')
}
