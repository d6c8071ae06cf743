import { describe, expect, it } from 'vitest'
import { METHODS } from '../../../src/bench/methods.ts'
import { chartOf } from '../../../src/bench/report/chart.ts'
import { inOrder } from '../../../src/bench/report/crossover-chart.ts'
import {
  asideFigures,
  deleteVsTruncateFigure,
  descriptionOf,
  factorFigures,
  methodsFigure,
} from '../../../src/bench/report/figure.ts'
import { recommendationsOf } from '../../../src/bench/report/recommend.ts'
import { logScale } from '../../../src/bench/report/scale.ts'
import { styleOfMethod, THEMES } from '../../../src/bench/report/series-style.ts'
import { pictureOfServers, picturesOf } from '../../../src/bench/report/svg.ts'
import { tooltipOf } from '../../../src/bench/report/tooltip.ts'
import { findCell, medianOf } from '../../../src/bench/results.ts'
import { ownSchemaResults, sampleResults } from './sample.ts'

const results = sampleResults()
const SERVER = 'postgres:18'
const canvas = { theme: THEMES.light, width: 800, height: 400 }

describe('a logarithmic axis', () => {
  it('puts 0 a decade before the first value', () => {
    const scale = logScale([0, 1, 10, 1000], 0.25)
    expect(scale.positionOf(0)).toBe(-1)
    expect(scale.ticks).toEqual([-1, 0, 1, 2, 3])
    expect(scale.ticks.map(scale.valueAt)).toEqual([0, 1, 10, 100, 1000])
    expect([scale.min, scale.max]).toEqual([-1.25, 3.25])
  })

  it.each([[[5, 12]], [[0.4, 0.9, 1.4]], [[8, 9, 11]], [[0, 9.9, 12]], [[2, 3]]])(
    'cuts off no value of a range within a decade: %j',
    (values) => {
      const scale = logScale(values, 0.1)
      for (const value of values) {
        expect(scale.positionOf(value)).toBeGreaterThanOrEqual(scale.min)
        expect(scale.positionOf(value)).toBeLessThanOrEqual(scale.max)
      }
    },
  )

  it('always has at least two ticks', () => {
    for (const values of [[], [0], [5], [1, 1], [0.12, 0.13], [0, 7]])
      expect(logScale(values, 0.1).ticks.length).toBeGreaterThan(1)
  })
})

describe('figures', () => {
  it('contain exactly the times of the results', () => {
    const figure = deleteVsTruncateFigure(results, SERVER, 'base')
    expect(figure.lines.map(({ name }) => name)).toEqual(['DELETE', 'TRUNCATE'])
    for (const [index, method] of ['delete', 'truncate'].entries()) {
      const expected = results.settings.rows.flatMap((rows) => {
        const median = medianOf(findCell(results, { server: SERVER, case: 'base', rows, method }))
        return median === undefined ? [] : [[rows, median]]
      })
      expect(figure.lines[index]?.points.map(({ rows, value }) => [rows, value])).toEqual(expected)
    }
  })

  it('exist for all methods, each factor, and the other costs', () => {
    expect(methodsFigure(results, SERVER, 'base')?.lines).toHaveLength(12)
    expect(methodsFigure(ownSchemaResults(2), SERVER, 'table=public.table_2')).toBeUndefined()
    const factors = factorFigures(results, SERVER)
    expect(factors.map(({ title }) => title)).toEqual([
      ...new Set(results.cases.flatMap(({ factor }) => factor || [])),
    ])
    expect(factors[0]?.lines.map(({ group, isDashed }) => [group, isDashed])).toEqual([
      ['base case', false],
      ['base case', true],
      ['no index but the key', false],
      ['no index but the key', true],
      ['5 indexes', false],
      ['5 indexes', true],
      ['10 indexes', false],
      ['10 indexes', true],
    ])
    expect(asideFigures(results, SERVER, 'base').map(({ title }) => title)).toContain(
      'Written to the journal',
    )
    // MySQL does not report it.
    expect(asideFigures(results, 'mysql:9.7', 'base').map(({ title }) => title)).not.toContain(
      'Written to the journal',
    )
  })

  it('describe for screen readers where each line starts and ends', () => {
    expect(descriptionOf(deleteVsTruncateFigure(results, SERVER, 'base'))).toMatch(
      /^base case, by the number of rows\. DELETE: \d+ µs at 0 rows and [\d.]+ s at 10,000,000 rows; TRUNCATE: /,
    )
  })
})

describe('the chart', () => {
  const figure = deleteVsTruncateFigure(results, SERVER, 'base')
  const series = [chartOf(figure, canvas).series ?? []].flat()

  it('draws measured points solid and extrapolated ones hollow, separately', () => {
    const own = series.filter(({ name }) => name === 'DELETE')
    expect(own.map(({ type }) => type)).toEqual(['line', 'line', 'custom'])
    const [solid, dotted] = own.map(({ data }) => data as unknown[])
    // The point for 0 rows is separate from the line.
    expect(solid?.[1]).toEqual(['-', '-'])
    expect(dotted?.[0]).toMatchObject({ symbol: 'none' })
    expect(dotted?.[1]).toMatchObject({ itemStyle: { color: THEMES.light.background } })
  })

  it('marks the crossover', () => {
    const mark = series.find(({ name }) => name === 'crossover')
    expect(JSON.stringify(mark)).toMatch(/≈ 1,\d00 rows/)
  })

  it('shows in its tooltip the visible lines at the size under the pointer', () => {
    const tip = (index: number, ...names: string[]) =>
      tooltipOf(
        figure,
        THEMES.light,
        names.map((seriesName) => ({ seriesName, value: [index, 0] })),
      )
    expect(tip(3, 'DELETE', 'TRUNCATE')).toMatch(/1,000 rows.*DELETE.*n 30.*journal.*TRUNCATE/)
    expect(tip(3, 'DELETE')).not.toContain('TRUNCATE')
    expect(tip(-1, 'DELETE')).toContain('>0 rows<')
    expect(tip(0, 'DELETE')).toContain('>1 row<')
    expect(tip(7, 'DELETE')).toContain('extrapolated: 3 % of the rows')
  })

  it('gives each method a distinct colour and symbol', () => {
    const looks = METHODS.map(({ id }) => `${styleOfMethod(id).color.light} ${styleOfMethod(id).symbol}`)
    expect(new Set(looks).size).toBe(METHODS.length)
  })

  it('has readable colours on both backgrounds', () => {
    for (const theme of Object.values(THEMES)) {
      for (const { id } of METHODS)
        expect(
          contrast(styleOfMethod(id).color[theme.id], theme.background),
          `${id}, ${theme.id}`,
        ).toBeGreaterThan(3)
      for (const color of [
        theme.text,
        theme.muted,
        ...['delete', 'truncate'].map((id) => styleOfMethod(id).color[theme.id]),
      ])
        expect(contrast(color, theme.background), `${color}, ${theme.id}`).toBeGreaterThan(4.5)
    }
  })
})

describe('pictures', () => {
  it('are self-contained, with a background of their own', () => {
    const pictures = picturesOf(results, SERVER)
    expect([...pictures.keys()]).toEqual(['', '-methods', '-crossovers', '-factors', '-asides'])
    for (const svg of pictures.values()) {
      expect(svg).toMatch(/^<svg /)
      expect(svg).toMatch(/<(rect|path)[^>]*fill="#ffffff"/)
      expect(svg).not.toMatch(/<script|<style|ecmeta/)
    }
  })

  it('compare nothing without TRUNCATE', () => {
    const cells = results.cells.filter(({ method }) => !method.startsWith('truncate'))
    const pictures = picturesOf({ ...results, cells }, SERVER)
    expect([...pictures.keys()]).toEqual(['', '-methods', '-factors', '-asides'])
    expect(pictures.get('')).not.toContain('≈')
  })

  it('show several servers in one picture', () => {
    const svg = pictureOfServers(results)
    for (const { title } of results.servers) expect(svg).toContain(`>${title}</text>`)
    expect(pictureOfServers({ ...results, servers: results.servers.slice(1) })).toBeUndefined()
    expect(pictureOfServers(ownSchemaResults(60))).toBeUndefined()
  })

  it('show user tables by the order of their crossovers', () => {
    const own = ownSchemaResults(60)
    const rows = inOrder(own, recommendationsOf(own, SERVER)).map(({ crossover }) =>
      crossover.kind === 'crosses' ? crossover.rows : Number.NaN,
    )
    expect(rows).toHaveLength(60)
    expect(rows).toEqual(rows.toSorted((a, b) => a - b))
    expect([...picturesOf(own, SERVER).keys()]).toEqual(['-crossovers'])
    expect([...picturesOf(ownSchemaResults(1), SERVER).keys()]).toEqual(['', '-asides'])
  })
})

/** Contrast ratio by WCAG 2 of two colours such as `#0069a8`. */
function contrast(a: string, b: string): number {
  const luminance = (color: string) => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((index) => {
      const share = Number.parseInt(color.slice(index, index + 2), 16) / 255
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y)
  return (light + 0.05) / (dark + 0.05)
}
