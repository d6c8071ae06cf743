import { describe, expect, it } from 'vitest'
import { styleOfMethod, THEMES } from '../../../src/bench/report/series-style.ts'
import { pictureOfServers } from '../../../src/bench/report/svg.ts'
import type { Cell, CellKey, MeasuredCell } from '../../../src/bench/results.ts'
import { sampleResults } from './sample.ts'

const results = sampleResults()
const GREY = THEMES.light.rule
const colorOf = (method: string) => styleOfMethod(method).color.light

describe('the bar of a server where one method is always faster', () => {
  it('has its colour and label over the whole range where no size is uncertain', () => {
    expect(barWhere({ truncateTakes: 0.01 })).toEqual({
      stretches: [
        { from: '0', to: '10M', fill: GREY },
        { from: '0', to: '10M', fill: colorOf('truncate') },
      ],
      words: ['TRUNCATE at every size'],
    })
  })

  it.each([
    {
      truncateTakes: 0.01,
      least: 1000,
      method: 'truncate',
      from: '1,000',
      words: ['TRUNCATE from 1,000 on'],
    },
    { truncateTakes: 100, most: 1000, method: 'delete', to: '1,000', words: ['DELETE up to 1,000'] },
    {
      ...{ truncateTakes: 0.01, least: 10, most: 100_000 },
      ...{ method: 'truncate', from: '10', to: '100k', words: ['TRUNCATE from 10 to 100,000'] },
    },
    // No room for a label.
    { truncateTakes: 0.01, least: 1_000_000, method: 'truncate', from: '1M', words: [] },
  ])(
    'is grey where the difference is within noise: $words',
    ({ method, from = '0', to = '10M', ...more }) => {
      expect(barWhere(more)).toEqual({
        stretches: [
          { from: '0', to: '10M', fill: GREY },
          { from, to, fill: colorOf(method) },
        ],
        words: more.words,
      })
    },
  )

  it('shows a single size', () => {
    const { stretches, words } = barWhere({ truncateTakes: 0.01, least: 1000, most: 1000 })
    expect(stretches).toHaveLength(2)
    expect(stretches[1]).toMatchObject({ from: '1,000', to: '1,000', fill: colorOf('truncate') })
    expect(words).toEqual([])
  })
})

interface Times {
  /** TRUNCATE takes this many times as long as DELETE; outside of `least` to `most` it takes equally long. */
  readonly truncateTakes: number
  readonly least?: number
  readonly most?: number
}

function barWhere({ truncateTakes, least = 0, most = Number.POSITIVE_INFINITY }: Times) {
  const cells = results.cells.flatMap((cell): Cell[] => {
    if (cell.server !== 'postgres:18' || cell.case !== 'base') return [cell]
    if (cell.method === 'truncate') return []
    if (cell.method !== 'delete' || !('median' in cell)) return [cell]
    const more = cell.rows < least || cell.rows > most ? 1 : truncateTakes
    const median = cell.median * more
    const measured: MeasuredCell = cell.outcome === 'measured' ? cell : asMeasured(cell)
    const spread = { q1: measured.q1 * more, q3: measured.q3 * more }
    return [measured, { ...measured, method: 'truncate', median, ...spread }]
  })
  return firstBar(pictureOfServers({ ...results, cells }) ?? '')
}

/** The ends of its stretches, named by the nearest tick of the axis. */
function firstBar(svg: string) {
  const marks = [...svg.matchAll(/text-anchor="middle"[^>]*translate\((\S+) [\d.]+\)"[^>]*>(\d[^<]*)</g)]
  const markAt = (x: number) => marks.find(([, left]) => Math.abs(Number(left) - x) < 2)?.[2]
  const all = [...svg.matchAll(/<path d="M(\S+) (\S+)l(\S+) 0l0 16l\S+ 0Z" fill="([^"]+)"/g)]
  const top = Number(all[0]?.[2])
  const stretches = all
    .filter(([, , y, width]) => Number(y) === top && Number(width) > 0)
    .map(([, x, , width, fill]) => ({
      from: markAt(Number(x)),
      to: markAt(Number(x) + Number(width)),
      fill,
    }))
  const texts = [...svg.matchAll(/<text [^>]*font-weight:600;" x="\S+" y="(\S+)"[^>]*>([^<]+)</g)]
  return {
    stretches,
    words: texts.flatMap(([, y, text]) => (Math.abs(Number(y) - top - 8) < 1 ? [text] : [])),
  }
}

/** Only measured times are compared. */
function asMeasured({ server, case: id, rows, method, median }: CellKey & { median: number }): MeasuredCell {
  const [q1, q3] = [0.95 * median, 1.05 * median]
  return {
    ...{ server, case: id, rows, method, outcome: 'measured', n: 3, median, q1, q3, min: q1, max: q3 },
    ...{ journalBytes: null, freedBytes: null, leftBytes: null, readerWaitMs: null, nextInsertMs: null },
  }
}
