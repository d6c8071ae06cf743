import { describe, expect, it } from 'vitest'
import { recommendationsOf, summaryOf } from '../../../src/bench/report/recommend.ts'
import type { BenchResults, Cell } from '../../../src/bench/results.ts'
import { ownSchemaResults, sampleResults } from './sample.ts'

const results = sampleResults()

function withCells(change: (cell: Cell) => Cell | readonly Cell[]): BenchResults {
  return { ...results, cells: results.cells.flatMap(change) }
}

/** The sentence for PostgreSQL when `method` has these times in the base case. */
function textWith(
  method: string,
  times: (cell: Extract<Cell, { median: number }>) => number,
): string | undefined {
  const changed = withCells((cell) => {
    if (cell.outcome !== 'measured' || cell.method !== method) return cell
    const median = times(cell)
    return { ...cell, median, q1: median * 0.95, q3: median * 1.05 }
  })
  return summaryOf(changed)[0]?.text
}

describe('the sentence for a server', () => {
  it('comes from the crossover of its base case', () => {
    expect(summaryOf(results)).toEqual([
      {
        title: 'PostgreSQL 18.6 in a container (postgres:18)',
        text: expect.stringMatching(/^TRUNCATE from about 1,\d00 rows a table on; below that DELETE\.$/),
      },
      {
        title: 'MySQL 9.7.0 in a container (mysql:9.7)',
        text: expect.stringMatching(/^TRUNCATE from about 2,\d00 rows a table on; below that DELETE\.$/),
      },
    ])
  })

  it('names the method that is always faster, or says that there is no answer', () => {
    expect(textWith('truncate', () => 0.001)).toBe('TRUNCATE at every size from 0 to 1,000,000 rows.')
    const same = withCells((cell) => {
      if (cell.method === 'truncate') return []
      return cell.method === 'delete' ? [cell, { ...cell, method: 'truncate' }] : cell
    })
    expect(
      summaryOf({ ...same, cells: same.cells.filter(({ outcome }) => outcome === 'measured') })[0]?.text,
    ).toBe('DELETE or TRUNCATE: no difference could be measured from 0 to 1,000,000 rows.')
  })

  it('gives the reason where a method is unavailable', () => {
    const without = withCells((cell) =>
      cell.method === 'truncate'
        ? {
            server: cell.server,
            case: cell.case,
            rows: cell.rows,
            method: cell.method,
            outcome: 'not possible',
            reason: 'it has none',
          }
        : cell,
    )
    expect(summaryOf(without)[0]?.text).toBe('DELETE; TRUNCATE is not possible here (it has none).')
    expect(summaryOf({ ...results, cells: [] })[0]?.text).toBe('nothing was measured.')
  })

  it('summarizes the tables of a user schema', () => {
    const [summary] = summaryOf(ownSchemaResults(60))
    expect(summary?.text).toMatch(/^TRUNCATE from about \d+ \(.+\) to [\d,]+ rows \(.+\) on in 60 tables\.$/)
  })

  it('does not say that one method is always faster where some tables are uncertain', () => {
    const own = ownSchemaResults(2)
    const [sure, doubtful] = own.cases.map(({ id }) => id)
    const cells = own.cells.map((cell) => {
      if (cell.outcome !== 'measured' || cell.method !== 'truncate') return cell
      const isDoubtful = cell.case === doubtful && cell.rows <= 1
      return isDoubtful
        ? { ...cell, median: 0.2, q1: 0.001, q3: 100 }
        : { ...cell, median: 0.002, q1: 0.001, q3: 0.003 }
    })
    const of = (ids: readonly (string | undefined)[]) =>
      summaryOf({ ...own, cases: own.cases.filter(({ id }) => ids.includes(id)), cells })[0]?.text
    expect(of([sure, doubtful])).toBe(
      'TRUNCATE at every size in 1 table; TRUNCATE wherever a difference can be measured in 1 table.',
    )
  })
})

describe('the sentence for what was not measured', () => {
  const only = (change: (cell: Cell) => Cell) =>
    summaryOf({
      ...results,
      cells: results.cells.filter((cell) => cell.case === 'base').map(change),
    })[0]?.text

  it('recommends neither method if both were left out', () => {
    const text = only(({ server, case: id, rows, method }) => ({
      ...{ server, case: id, rows, method },
      outcome: 'left out',
      reason: 'they would take 22,000 GiB of memory',
    }))
    expect(text).toBe(
      'there are no times of both DELETE and TRUNCATE to compare: DELETE is left out (they would take 22,000 GiB of memory).',
    )
  })

  it('recommends nothing that was only extrapolated', () => {
    const text = only((cell) => {
      if (cell.method !== 'truncate' || !('median' in cell)) return cell
      const { server, case: id, rows, method, median } = cell
      return { ...{ server, case: id, rows, method, median }, outcome: 'extrapolated', basis: 'a guess' }
    })
    expect(text).toBe(
      'no size has measured times of both DELETE and TRUNCATE; what is extrapolated recommends nothing.',
    )
  })
})

describe('the sentence for a case', () => {
  it('counts the rows of each table, of which a case may have many', () => {
    // 100 tables with so many rows each, as the server shares the cost of a file between them.
    const many = withCells((cell) => (cell.case === 'base' ? { ...cell, case: 'each-of=100' } : cell))
    const text = recommendationsOf(many, 'postgres:18').find((one) => one.case === 'each-of=100')?.text
    expect(text).toMatch(/^TRUNCATE from about 1,\d00 rows a table on/)
  })

  it('exists for each case, in order', () => {
    const all = recommendationsOf(results, 'postgres:18')
    expect(all.map((recommendation) => recommendation.case)).toEqual(results.cases.map(({ id }) => id))
    expect(
      all.every(({ text }) => /^TRUNCATE from .* rows a table on; below that DELETE\.$/.test(text)),
    ).toBe(true)
    const textOf = (id: string) => all.find((recommendation) => recommendation.case === id)?.text
    expect(textOf('width=off-page')).toMatch(
      /^TRUNCATE from about 2\d\d rows a table on; below that DELETE\.$/,
    )
    expect(recommendationsOf(results, 'nobody')).toEqual([])
  })
})
