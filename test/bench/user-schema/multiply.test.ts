import { describe, expect, it } from 'vitest'
import { changesFor, insertRows, type SubjectTable } from '../../../src/bench/user-schema/multiply-rows.ts'
import { engineNamed } from '../../../src/engine/registry.ts'
import type { ColumnFacts } from '../../../src/engine/row-dialect.ts'
import type { Column } from '../../../src/schema/schema.ts'
import { schemaOf, table } from '../../support/schemas.ts'

/** Parses columns written as `name type`, `name type null`, `name type checked` or `name type numbered`. */
function subjectOf(
  columns: readonly string[],
  uniques: readonly string[],
  extras: Partial<SubjectTable> = {},
) {
  const parsed = columns.map((line) => line.split(' '))
  const facts = parsed.map(
    ([name = '', type = '', what]): ColumnFacts => ({
      name,
      type,
      labels: type === 'mood' ? ['sad', 'glad'] : [],
      hasDefault: false,
      automatic: false,
      conditions: what === 'checked' ? ['CHECK'] : [],
    }),
  )
  const own = parsed.map(
    ([name = '', type = '', what]): Column => ({
      name,
      type,
      nullable: what === 'null',
      generated: what === 'generated',
      identity: what === 'numbered' ? 'always' : undefined,
    }),
  )
  return {
    table: { ...table('t'), columns: own },
    facts,
    uniques: uniques.map((unique) => unique.split(', ')),
    foreignKeys: [],
    dangling: new Set<string>(),
    isUnchecked: true,
    ...extras,
  } satisfies SubjectTable
}

function changes(subject: SubjectTable, attempt = 0): Record<string, string> | string {
  const found = changesFor(subject, attempt)
  return 'impossible' in found ? found.impossible : Object.fromEntries(found.changes)
}

const REFERENCE = schemaOf(['t -> parents']).foreignKeys.map((key) => ({ ...key, columns: ['of'] }))

describe('the column changes that make copies unique', () => {
  it.each([
    [['id integer'], 'number'],
    [['id bigint'], 'number'],
    [['id numeric(8,2)'], 'number'],
    [['id uuid'], 'uuid'],
    [['id character(3)'], 'text'],
    [['id citext'], 'text'],
    [['id bytea'], 'bytes'],
    [['id varbinary(16)'], 'bytes'],
    [['id date null'], 'null'],
  ])('%s: %s', (columns, change) => {
    expect(changes(subjectOf(columns, ['id']))).toEqual({ id: change })
  })

  it.each(['date', 'mood', 'integer[]', 'interval', 'int4range', 'boolean'])('do not apply to %s', (type) => {
    expect(changes(subjectOf([`id ${type}`], ['id']))).toMatch(/nothing in \(id\)/)
  })

  it('use one column of each index, and as few columns as possible', () => {
    const subject = subjectOf(['a text', 'b integer', 'c integer'], ['a, b', 'b', 'c, b'])
    expect(changes(subject)).toEqual({ b: 'number' })
  })

  it('prefer a column without other constraints, and try another column at the next attempt', () => {
    const subject = subjectOf(['region integer checked', 'of integer', 'code text'], ['region, of, code'], {
      foreignKeys: REFERENCE,
    })
    expect(changes(subject, 0)).toEqual({ code: 'text' })
    expect(changes(subject, 1)).toEqual({ region: 'number' })
    expect(changes(subject, 2)).toEqual({ of: 'number' })
    expect(changes({ ...subject, isUnchecked: false }, 2)).toEqual({ region: 'number' })
  })

  it('leave out numbered and generated columns', () => {
    expect(changes(subjectOf(['id integer numbered'], ['id']))).toEqual({})
    expect(changes(subjectOf(['lower text generated'], ['lower']))).toEqual({})
  })

  it('set references to deleted rows to null', () => {
    const subject = subjectOf(['id integer', 'parent integer null'], ['id'], {
      dangling: new Set(['parent']),
      isUnchecked: false,
    })
    expect(changes(subject)).toEqual({ id: 'number', parent: 'null' })
  })
})

describe('the statement', () => {
  const subject = subjectOf(['id integer', 'code varchar(5)', 'sum integer generated'], ['id', 'code'])
  const seed = { name: 'seed_1', rows: 12 }
  const statement = (engine: string, rows: number, attempt = 0) => {
    const { rows: syntax } = engineNamed(engine)
    const found = changesFor(subject, attempt)
    if (syntax === undefined || 'impossible' in found) throw new Error('it cannot be made')
    return insertRows(subject, seed, { changes: found.changes, attempt }, rows, syntax)
  }

  it('names every writable column, in the dialect of the engine', () => {
    expect(statement('postgres', 100)).toMatch(/^INSERT INTO "public"\."t" \("id", "code"\) SELECT CAST\(/)
    expect(statement('mysql', 100)).toMatch(/^INSERT INTO `t` \(`id`, `code`\) SELECT \(/)
  })

  it('has nearly the same length for a million rows as for a hundred', () => {
    expect(statement('postgres', 1_000_000).length).toBeLessThan(statement('postgres', 100).length + 1500)
  })

  it('keeps the maximum length of text, with the number at another position at each attempt', () => {
    expect(statement('mysql', 100)).toContain('CONCAT(LEFT(CAST(seed.c1 AS CHAR), 3), LPAD(')
    expect(statement('mysql', 100, 1)).toContain('SUBSTRING(CAST(seed.c1 AS CHAR), 3)')
    expect(statement('mysql', 100, 2)).toMatch(/LEFT\(CONCAT\(LPAD\(.*, CAST\(seed\.c1 AS CHAR\)\), 5\)/)
  })
})
