import { describe, expect, it } from 'vitest'
import { OWN_FACTOR } from '../../../src/bench/cases.ts'
import { compareRuns } from '../../../src/bench/compare-runs.ts'
import { isOwnTable } from '../../../src/bench/report/base-case.ts'
import { caseName, factorFigures } from '../../../src/bench/report/figure.ts'
import { htmlOf } from '../../../src/bench/report/html.ts'
import { mainOf } from '../../../src/bench/report/recommend.ts'
import { picturesOf } from '../../../src/bench/report/svg.ts'
import type { BenchResults, Cell } from '../../../src/bench/results.ts'
import { writeComparison, writeResults } from '../../../src/cli/bench/text.ts'
import type { Output } from '../../../src/cli/output.ts'
import { ownSchemaResults, sampleResults } from './sample.ts'

const SERVER = 'postgres:18'

/** Results for two user tables, the first of them called `base`. */
function ownResults(idOf: (label: string) => string): BenchResults {
  const own = ownSchemaResults(2)
  const renamed = new Map(
    own.cases.map(({ id }, index) => [id, index === 0 ? 'base' : 'orders'] satisfies [string, string]),
  )
  const labelOf = (id: string) => renamed.get(id) ?? ''
  return {
    ...own,
    cases: own.cases.map((benchCase) => ({
      ...benchCase,
      id: idOf(labelOf(benchCase.id)),
      label: labelOf(benchCase.id),
    })),
    cells: own.cells.map((cell) => ({ ...cell, case: idOf(labelOf(cell.case)) })),
  }
}

describe('the base case', () => {
  it('is not a user table', () => {
    expect(sampleResults().cases.filter(isOwnTable)).toEqual([])
  })

  it.each([
    ['the id of its label alone', (label: string) => label],
    ['the id that tables have', (label: string) => `${OWN_FACTOR}=${label}`],
  ])('is not a table that is called `base`, with %s', (_, idOf) => {
    const own = ownResults(idOf)
    expect(caseName(own, idOf('base'))).toBe('base')
    expect(mainOf(own, SERVER)).toBeUndefined()
    expect(factorFigures(own, SERVER)).toEqual([])
    expect([...picturesOf(own, SERVER).keys()]).toEqual(['-crossovers'])
    const html = htmlOf(own, '').replace(/<script.*<\/script>/s, '')
    expect(html).toContain('<summary>base</summary>')
    expect(html).toContain('<th scope="row" class="name">base<td>')
    expect(html).not.toMatch(/base case/i)
    const said = saidBy((output) => writeResults(own, output))
    expect(said[0]).toMatch(/^PostgreSQL/)
    expect(said[1]).toMatch(/^ {2}base {4}TRUNCATE from/)
    expect(said[2]).toMatch(/^ {2}orders {2}TRUNCATE from/)
  })
})

describe('a user table', () => {
  const own = ownResults((label) => `${OWN_FACTOR}=${label}`)

  it('is shown by its label, never by its id', () => {
    const text = [
      htmlOf(own, '').replace(/<script.*<\/script>/s, ''),
      ...picturesOf(own, SERVER).values(),
      ...saidBy((output) => writeResults(own, output)),
    ].join('\n')
    expect(text).not.toContain(`${OWN_FACTOR}=`)
  })

  it('is shown by its label in a comparison too', () => {
    const slower = (cell: Cell): Cell =>
      cell.case === 'table=base' &&
      cell.method === 'delete' &&
      cell.rows === 1000 &&
      cell.outcome === 'measured'
        ? { ...cell, median: cell.median * 9, q1: cell.q1 * 9, q3: cell.q3 * 9 }
        : cell
    const comparison = compareRuns({ ...own, cells: own.cells.map(slower) }, own)
    const said = saidBy((output) => writeComparison(comparison, 'earlier.json', output))
    expect(said.at(-1)).toMatch(/^ {4}postgres:18, base {2}1,000 rows {2}delete {2}/)
  })
})

function saidBy(write: (output: Output) => void): string[] {
  const lines: string[] = []
  const same = (text: string) => text
  write({
    line: (text = '') => lines.push(text),
    document: () => {},
    progress: () => {},
    during: (work) => work(() => {}),
    style: { bold: same, dim: same, good: same, bad: same },
    width: 100,
  })
  return lines
}
