import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CsvError, splitCsv } from '../../src/baseline/rows/csv-records.ts'

interface Field {
  readonly value: string | null
  readonly isQuoted: boolean
}

interface Line {
  readonly fields: readonly Field[]
  readonly end: string
}

const text = fc.string({
  unit: fc.constantFrom('a', '"', ',', '\n', '\r', '\r\n', ' ', '\\', '.', 'ä', '\u{1f600}', "'", '\t'),
  maxLength: 8,
})
const field: fc.Arbitrary<Field> = fc.record({
  value: fc.option(text, { nil: null }),
  isQuoted: fc.boolean(),
})
const line: fc.Arbitrary<Line> = fc.record({
  fields: fc.array(field, { minLength: 1, maxLength: 4 }),
  end: fc.constantFrom('\n', '\r\n'),
})

function written({ fields, end }: Line): string {
  const texts = fields.map(({ value, isQuoted }) => {
    if (value === null) return ''
    return isQuoted || value === '' || /[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
  })
  return texts.join(',') + end
}

/** Splits the text as it would arrive, in parts that end at these positions. */
function split(csv: string, cuts: readonly number[]) {
  const positions = [...new Set(cuts.map((cut) => cut % (csv.length + 1)))].sort((a, b) => a - b)
  const found: { line: number; values: readonly unknown[] }[] = []
  let rest = ''
  let line = 1
  let from = 0
  for (const position of [...positions, csv.length]) {
    const part = splitCsv(rest + csv.slice(from, position), line, false)
    found.push(...part.records)
    rest = part.rest
    line = part.line
    from = position
  }
  return [...found, ...splitCsv(rest, line, true).records]
}

describe('splitCsv', () => {
  it('returns what was written, wherever the text is cut, and the line of each record', () => {
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat()), (lines, cuts) => {
        const csv = lines.map(written)
        const starts = csv.map((_, index) => csv.slice(0, index).join('').split('\n').length)
        expect(split(csv.join(''), cuts)).toEqual(
          lines.map(({ fields }, index) => ({
            line: starts[index],
            values: fields.map(({ value }) => value),
          })),
        )
      }),
      { numRuns: 2_000 },
    )
  })

  it('reads what csv-parse reads', () => {
    const oracle = (csv: string): unknown[] =>
      parse(csv, {
        record_delimiter: ['\r\n', '\n'],
        relax_column_count: true,
        cast: (value, { quoting }) => (value === '' && !quoting ? null : value),
      })
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const csv = lines.map(written).join('')
        expect(splitCsv(csv, 1, true).records.map(({ values }) => values)).toEqual(oracle(csv))
      }),
      { numRuns: 1_000 },
    )
  })

  it.each([
    ['a,b', [['a', 'b']]],
    ['a,b\r', [['a', 'b']]],
    ['a,', [['a', null]]],
    ['\n', [[null]]],
    ['""', [['']]],
    ['a\rb\n', [['a\rb']]],
    ['', []],
  ])('reads the end of %j', (csv, expected) => {
    expect(splitCsv(csv, 1, true).records.map(({ values }) => values)).toEqual(expected)
  })

  it.each([
    ['a\nb,"c\nd', 2],
    ['a\nb"c\n', 2],
    ['"a\n\n"b\n', 3],
  ])('says in which line %j is no CSV', (csv, expected) => {
    const problem = (() => {
      try {
        return splitCsv(csv, 1, true)
      } catch (error) {
        return error
      }
    })()
    expect(problem).toBeInstanceOf(CsvError)
    expect(problem).toMatchObject({ line: expected })
  })
})
