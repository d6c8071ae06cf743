import { describe, expect, it } from 'vitest'
import type { ColumnFacts } from '../../src/engine/row-dialect.ts'
import { randomFrom } from '../../src/generate/random.ts'
import { generateRow, type KeyInput } from '../../src/generate/row.ts'
import { hintsIn, valueFor } from '../../src/generate/values.ts'
import type { Column } from '../../src/schema/schema.ts'
import { schemaOf, table } from '../support/schemas.ts'

function facts(name: string, type: string, extras: Partial<ColumnFacts> = {}): ColumnFacts {
  return { name, type, labels: [], hasDefault: false, automatic: false, conditions: [], ...extras }
}

function column(name: string, nullable = false): Column {
  return { name, type: 'integer', nullable, generated: false, identity: undefined }
}

function many(column: ColumnFacts): (string | undefined)[] {
  const random = randomFrom(1)
  return Array.from({ length: 200 }, () => valueFor(column, random))
}

describe('values', () => {
  it('are the same for the same seed, and differ for another', () => {
    const draw = (seed: number) => {
      const random = randomFrom(seed)
      return Array.from({ length: 20 }, () => random.int(0, 1_000_000))
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
    for (const number of draw(9)) expect(number).toBeGreaterThanOrEqual(0)
  })

  it.each([
    ['integer', /^\d+$/],
    ['smallint', /^\d{1,5}$/],
    ['tinyint(1)', /^[01]$/],
    ['int unsigned', /^\d+$/],
    ['boolean', /^(true|false)$/],
    ['numeric(4,2)', /^\d{1,2}\.\d{2}$/],
    ['decimal(10,3) unsigned', /^\d+\.\d{3}$/],
    ['numeric(2,2)', /^0\.\d\d$/],
    ['character(2)', /^[A-Z]{2}$/],
    ['character varying(5)', /^.{1,5}$/],
    ['text', /./],
    ['date', /^\d{4}-\d\d-\d\d$/],
    ['timestamp with time zone', /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/],
    ['timestamp(6) without time zone', /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/],
    ['time without time zone', /^\d\d:\d\d:\d\d$/],
    ['uuid', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/],
    ['jsonb', /^\{.*\}$/],
    ['text[]', /^\{\}$/],
    ['bit(3)', /^[01]{3}$/],
  ])('of %s have its format', (type, form) => {
    for (const value of many(facts('x', type))) expect(value).toMatch(form)
  })

  it('do not exist for an unknown type', () => {
    expect(valueFor(facts('x', 'geometry'), randomFrom(1))).toBeUndefined()
  })

  it('of an enumeration are its labels', () => {
    expect(new Set(many(facts('x', 'mood', { labels: ['sad', 'glad'] })))).toEqual(new Set(['sad', 'glad']))
  })

  it('have the format that the name of a column suggests', () => {
    for (const value of many(facts('Email_address', 'text'))) expect(value).toMatch(/^\S+@\S+\.\S+$/)
  })

  it('include values from the conditions', () => {
    const status = facts('status', 'text', { conditions: [`CHECK (status IN ('new', 'o''clock'))`] })
    expect(many(status)).toEqual(expect.arrayContaining(['new', "o'clock"]))
    expect(hintsIn(['CHECK ((stars >= 1) AND (stars <= 5))'])).toEqual(['0', '1', '2', '4', '5', '6'])
    expect(hintsIn([`FOR VALUES FROM ('2025-01-01') TO ('2025-04-01')`])).toEqual([
      '2025-01-01',
      '2025-04-01',
    ])
  })
})

describe('rows', () => {
  const schema = schemaOf(['line -> order', 'line -> product', 'node -> node'])
  const random = randomFrom(3)
  const key = (from: string, to: string, columns: string[], parents: (string | null)[][]): KeyInput => {
    const found = schema.foreignKeys.find((foreignKey) => foreignKey.from === from && foreignKey.to === to)
    if (found === undefined) throw new Error(`no key from ${from} to ${to}`)
    return { foreignKey: { ...found, columns, referencedColumns: columns.map(() => 'id') }, parents }
  }
  const line = { ...table('line'), columns: [column('order'), column('product', true), column('n')] }

  it('refer to existing rows', () => {
    const keys = [key('line', 'order', ['order'], [['4'], ['5']])]
    for (let i = 0; i < 50; i++) {
      const row = generateRow({
        table: line,
        facts: [facts('order', 'integer'), facts('n', 'integer')],
        keys,
        random,
        bare: false,
      })
      if ('impossible' in row) throw new Error(row.impossible)
      expect(['4', '5']).toContain(row.get('order'))
      expect(row.get('n')).toMatch(/^\d+$/)
    }
  })

  it('are impossible without rows that they must refer to', () => {
    const keys = [key('line', 'order', ['order'], [])]
    expect(generateRow({ table: line, facts: [], keys, random, bare: false })).toEqual({
      impossible: expect.stringContaining('line_order_fkey'),
    })
  })

  it('have NULL where a nullable key has no parents', () => {
    const keys = [key('line', 'product', ['product'], [])]
    const row = generateRow({ table: line, facts: [facts('product', 'integer')], keys, random, bare: false })
    expect('impossible' in row ? undefined : row.get('product')).toBeNull()
  })

  it('satisfy all keys that share a column', () => {
    const both = [
      key(
        'line',
        'order',
        ['order', 'n'],
        [
          ['1', '1'],
          ['2', '7'],
        ],
      ),
      key(
        'line',
        'product',
        ['n', 'product'],
        [
          ['7', '30'],
          ['9', '31'],
        ],
      ),
    ]
    const strict = { ...line, columns: line.columns.map(({ name }) => column(name)) }
    const rows = Array.from({ length: 20 }, () =>
      generateRow({ table: strict, facts: [], keys: both, random, bare: false }),
    ).flatMap((row) => ('impossible' in row ? [] : [row]))
    expect(rows.length).toBeGreaterThan(0)
    for (const row of rows) {
      expect(Object.fromEntries(row)).toEqual({ order: '2', n: '7', product: '30' })
    }
  })

  it('refer to themselves where a first row must', () => {
    const node = { ...table('node'), columns: [column('id'), column('parent')] }
    const keys = [key('node', 'node', ['parent'], [])]
    const row = generateRow({
      table: node,
      facts: [facts('id', 'integer'), facts('parent', 'integer')],
      keys,
      random,
      bare: false,
    })
    if ('impossible' in row) throw new Error(row.impossible)
    expect(row.get('parent')).toBe(row.get('id'))
  })

  it('omit what the server fills, and contain only required columns when bare', () => {
    const all = [
      facts('id', 'integer', { automatic: true }),
      facts('order', 'integer'),
      facts('product', 'integer'),
      facts('n', 'integer', { hasDefault: true }),
    ]
    const row = generateRow({ table: line, facts: all, keys: [], random, bare: true })
    if ('impossible' in row) throw new Error(row.impossible)
    expect([...row.keys()]).toEqual(['order', 'product'])
    expect(row.get('product')).toBeNull()
  })
})
