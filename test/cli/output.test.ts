import { describe, expect, it } from 'vitest'
import { aligned, count, duration, inColumns, listed, printable, toJson } from '../../src/cli/output.ts'
import { migrationTablesAmong } from '../../src/schema/migration-tables.ts'
import { schemaOf } from '../support/schemas.ts'

describe('output', () => {
  it('formats counts with a unit', () => {
    expect([count(0, 'row'), count(1, 'row'), count(12_345, 'row')]).toEqual([
      '0 rows',
      '1 row',
      '12,345 rows',
    ])
  })

  it('rounds durations to a useful precision', () => {
    expect([0.42, 9.94, 12.6, 1234].map(duration)).toEqual(['0.4 ms', '9.9 ms', '13 ms', '1.2 s'])
  })

  it('lists as many labels as fit, and at least one', () => {
    const labels = ['order', 'customer', 'product']
    expect(listed(labels, 80)).toBe('order, customer, product')
    expect(listed(labels, 20)).toBe('order and 2 more')
    expect(listed(labels, 1)).toBe('order and 2 more')
    expect(listed([], 10)).toBe('')
  })

  it('arranges cells in columns from top to bottom, within the width', () => {
    const cells = ['1  a', '2  bb', '3  c', '4  d', '5  e']
    expect(inColumns(cells, 20)).toEqual(['  1  a    4  d', '  2  bb   5  e', '  3  c'])
    expect(inColumns(cells, 1)).toEqual(cells.map((cell) => `  ${cell}`))
    expect(inColumns([], 80)).toEqual([])
  })

  it('aligns text to the left, and numbers to the right', () => {
    expect(
      aligned([
        ['a', 1, 'x'],
        ['bbb', 100, 'y'],
      ]),
    ).toEqual(['  a      1  x', '  bbb  100  y'])
  })

  it('escapes control characters in names, and shortens names', () => {
    expect(printable('a\nb\u001b[2Jc')).toBe('a\\nb\\u001b[2Jc')
    expect(printable('a'.repeat(50), 10)).toBe(`${'a'.repeat(9)}…`)
  })

  it('writes bigint values as JSON strings', () => {
    expect(JSON.parse(toJson({ value: 2n ** 63n }))).toEqual({ value: '9223372036854775808' })
  })
})

describe('the tables of migration tools', () => {
  it('are recognized by their usual names, ignoring case', () => {
    const schema = schemaOf([
      'schema_migrations',
      'SequelizeMeta',
      '__EFMigrationsHistory',
      'orders',
      'knex_migrations',
    ])
    const among = ['schema_migrations', 'SequelizeMeta', '__EFMigrationsHistory', 'orders']
    expect(
      migrationTablesAmong(schema, among)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['SequelizeMeta', '__EFMigrationsHistory', 'schema_migrations'].sort())
  })
})
