import { type Crossover, crossoverOf } from '../crossover.ts'
import type { BenchResults, Cell, MeasuredCell } from '../results.ts'
import { baseCaseOf } from './base-case.ts'
import { bytesText, listed, rowsText, timeText, visible } from './format.ts'
import { BASE_STYLE, type SeriesStyle, styleAtIndex, styleOfMethod } from './series-style.ts'

/** The contents of a chart, before it is drawn. */
export interface Figure {
  readonly title: string
  readonly unit: 'time' | 'bytes'
  readonly lines: readonly Line[]
  /** Where the two lines of the figure cross. */
  readonly crossover: Crossover | undefined
}

export interface Line {
  readonly name: string
  /** Lines of one group share a legend entry, and are shown and hidden together. */
  readonly group: string
  readonly look: SeriesStyle
  readonly isDashed: boolean
  readonly points: readonly Point[]
}

export interface Point {
  readonly rows: number
  readonly value: number
  readonly q1: number
  readonly q3: number
  readonly cell: Extract<Cell, { median: number }>
}

/** The two methods that are compared everywhere. */
const DELETE_AND_TRUNCATE = ['delete', 'truncate'] as const

/** DELETE against TRUNCATE in one case. */
export function deleteVsTruncateFigure(results: BenchResults, server: string, caseId: string): Figure {
  return {
    title: caseName(results, caseId),
    unit: 'time',
    lines: linesOfMethods(results, server, caseId, new Set(DELETE_AND_TRUNCATE), timePoint),
    crossover: crossoverOf(results.cells, { server, case: caseId }),
  }
}

/** All methods measured in a case; `undefined` if there are no others than DELETE and TRUNCATE. */
export function methodsFigure(results: BenchResults, server: string, caseId: string): Figure | undefined {
  const all = new Set(results.methods.map(({ id }) => id))
  const lines = linesOfMethods(results, server, caseId, all, timePoint)
  if (lines.length <= DELETE_AND_TRUNCATE.length) return undefined
  return { title: 'Every method to empty the table', unit: 'time', lines, crossover: undefined }
}

/** One figure per factor: the base case and its variants, DELETE solid and TRUNCATE dashed. */
export function factorFigures(results: BenchResults, server: string): Figure[] {
  const base = baseCaseOf(results)
  if (base === undefined) return []
  const factors = new Set(results.cases.flatMap(({ id, factor }) => (id === base ? [] : [factor])))
  return [...factors].flatMap((factor): Figure[] => {
    const variants = results.cases.filter((benchCase) => benchCase.factor === factor && benchCase.id !== base)
    const lines = [{ id: base, label: BASE_NAME }, ...variants].flatMap(({ id, label }, index) =>
      DELETE_AND_TRUNCATE.flatMap((method): Line[] => {
        const points = pointsOf(results.cells, server, id, method, timePoint)
        if (points.length === 0) return []
        const look = index === 0 ? BASE_STYLE : styleAtIndex(index - 1)
        const group = visible(label)
        const name = `${methodLabel(results, method)}, ${group}`
        return [{ name, group, look, isDashed: method === 'truncate', points }]
      }),
    )
    const isVaried = lines.some(({ look }) => look !== BASE_STYLE)
    return isVaried ? [{ title: factor, unit: 'time', lines, crossover: undefined }] : []
  })
}

const ASIDES = [
  { key: 'journalBytes', title: 'Written to the journal', unit: 'bytes' },
  { key: 'leftBytes', title: 'Bloat left in the files', unit: 'bytes' },
  { key: 'freedBytes', title: 'Given back to the file system', unit: 'bytes' },
  { key: 'readerWaitMs', title: 'Longest wait of a reader', unit: 'time' },
  { key: 'nextInsertMs', title: 'The first INSERT afterwards', unit: 'time' },
] as const satisfies readonly { key: keyof MeasuredCell; title: string; unit: Figure['unit'] }[]

/** Other costs, if the server reports them. */
export function asideFigures(results: BenchResults, server: string, caseId: string): Figure[] {
  return ASIDES.flatMap(({ key, title, unit }): Figure[] => {
    const lines = linesOfMethods(results, server, caseId, new Set(DELETE_AND_TRUNCATE), (cell) => {
      const value = cell.outcome === 'measured' ? cell[key] : null
      return value === null ? undefined : { rows: cell.rows, value, q1: value, q3: value, cell }
    })
    return lines.length === 0 ? [] : [{ title, unit, lines, crossover: undefined }]
  })
}

type PointOf = (cell: Extract<Cell, { median: number }>) => Point | undefined

function timePoint(cell: Extract<Cell, { median: number }>): Point {
  const { rows, median } = cell
  const { q1, q3 } = cell.outcome === 'measured' ? cell : { q1: median, q3: median }
  return { rows, value: median, q1, q3, cell }
}

function linesOfMethods(
  results: BenchResults,
  server: string,
  caseId: string,
  wanted: ReadonlySet<string>,
  pointOf: PointOf,
): Line[] {
  return results.methods.flatMap(({ id, label }): Line[] => {
    const points = wanted.has(id) ? pointsOf(results.cells, server, caseId, id, pointOf) : []
    const name = visible(label)
    return points.length === 0
      ? []
      : [{ name, group: name, look: styleOfMethod(id), isDashed: false, points }]
  })
}

function pointsOf(
  cells: readonly Cell[],
  server: string,
  caseId: string,
  method: string,
  pointOf: PointOf,
): Point[] {
  return cells
    .flatMap((cell): Point[] => {
      if (cell.server !== server || cell.case !== caseId || cell.method !== method || !('median' in cell))
        return []
      const point = pointOf(cell)
      return point === undefined ? [] : [point]
    })
    .toSorted((a, b) => a.rows - b.rows)
}

/** The name of a case, or of a table of the user. */
export function caseName(results: BenchResults, id: string): string {
  if (id === baseCaseOf(results)) return BASE_NAME
  return visible(results.cases.find((benchCase) => benchCase.id === id)?.label ?? id)
}

/** The settings under which a case was measured, in one line; empty if unknown. */
export function conditionsOf({ servers, cases }: BenchResults, server: string, id: string): string {
  const conditions = servers.find((one) => one.id === server)?.conditions ?? {}
  const storage = cases.find((benchCase) => benchCase.id === id)?.storage ?? 'memory'
  return conditions[storage] ?? Object.values(conditions)[0] ?? ''
}

const BASE_NAME = 'base case'

export function methodLabel({ methods }: BenchResults, id: string): string {
  return visible(methods.find((method) => method.id === id)?.label ?? id)
}

export function valueText({ unit }: Pick<Figure, 'unit'>, value: number): string {
  return unit === 'bytes' ? bytesText(value) : timeText(value)
}

/** The alternative text of a chart. The tables next to it contain all figures. */
export function descriptionOf(figure: Figure): string {
  const lines = figure.lines.map((line) => {
    const ends = [line.points[0], line.points.at(-1)].flatMap((point) => point ?? [])
    const words = ends.map(({ rows, value }) => `${valueText(figure, value)} at ${rowsText(rows)}`)
    return `${line.name}: ${listed([...new Set(words)])}`
  })
  return `${figure.title}, by the number of rows. ${lines.join('; ')}.`
}
