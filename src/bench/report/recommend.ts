import { type Crossover, crossoverOf, type Span } from '../crossover.ts'
import type { BenchResults } from '../results.ts'
import { baseCaseOf } from './base-case.ts'
import { about, listed, rowsText, visible, whole } from './format.ts'

/** What to do in one case on one server, and why. */
export interface Recommendation {
  readonly server: string
  readonly case: string
  readonly crossover: Crossover
  /** `TRUNCATE from about 1,200 rows a table on; below that DELETE.` */
  readonly text: string
}

/** For all cases with cells of the server, the base case first. */
export function recommendationsOf(results: BenchResults, server: string): Recommendation[] {
  const caseIds = new Set(results.cells.flatMap((cell) => (cell.server === server ? [cell.case] : [])))
  return results.cases
    .filter(({ id }) => caseIds.has(id))
    .map(({ id }) => {
      const crossover = crossoverOf(results.cells, { server, case: id })
      return { server, case: id, crossover, text: sentenceOf(results, server, id, crossover) }
    })
}

/** For the base case, or for the only case; `undefined` if there is neither. */
export function mainOf(results: BenchResults, server: string): Recommendation | undefined {
  const all = recommendationsOf(results, server)
  const base = baseCaseOf(results)
  return all.find((recommendation) => recommendation.case === base) ?? (all.length === 1 ? all[0] : undefined)
}

/** One sentence per server: `PostgreSQL 18.6: TRUNCATE from about 1,200 rows a table on; …` */
export interface Summary {
  readonly title: string
  /** The text after the title and a colon. */
  readonly text: string
}

/** One per server. */
export function summaryOf(results: BenchResults): Summary[] {
  return results.servers.map(({ id, title }) => {
    const text = mainOf(results, id)?.text ?? acrossTables(results, recommendationsOf(results, id))
    return { title: visible(title), text }
  })
}

function sentenceOf(results: BenchResults, server: string, caseId: string, crossover: Crossover): string {
  const name = namesIn(results)
  if ('isExtrapolated' in crossover && crossover.isExtrapolated)
    return 'no size has measured times of both DELETE and TRUNCATE; what is extrapolated recommends nothing.'
  switch (crossover.kind) {
    case 'unknown':
      return withoutComparison(results, server, caseId)
    case 'equal':
      return `${name('delete')} or ${name('truncate')}: no difference could be measured ${between(crossover.sizes)}.`
    case 'always':
      return `${name(crossover.faster)} at every size ${between(crossover.certain)}${exceptOf(crossover)}.`
    case 'crosses': {
      const but = crossover.exceptions.map((rows) => whole(rows))
      const except =
        but.length === 0
          ? ''
          : `, except for ${listed(but)} ${but.length === 1 && but[0] === '1' ? 'row' : 'rows'}`
      return `${name(crossover.above)} from ${pointOf(crossover)} a table on; below that ${name(crossover.below)}${except}${doubtful(crossover.doubts)}.`
    }
  }
}

/** `about 1,200 rows`; `somewhere between 800 and 6,000 rows` if the interval is wide. */
function pointOf({ rows, range }: Extract<Crossover, { kind: 'crosses' }>): string {
  const isNarrow = range.to <= 2 * range.from
  if (isNarrow) return `about ${about(rows)} ${about(rows) === '1' ? 'row' : 'rows'}`
  return `somewhere between ${about(range.from)} and ${about(range.to)} rows`
}

function exceptOf({ sizes, certain, doubts }: Extract<Crossover, { kind: 'always' }>): string {
  const outside = [
    ...(certain.from > sizes.from ? [`below ${rowsText(certain.from)}`] : []),
    ...(certain.to < sizes.to ? [`above ${rowsText(certain.to)}`] : []),
    ...(doubts.length > 0 ? [`at ${listed(doubts.map((rows) => whole(rows)))} rows`] : []),
  ]
  return outside.length === 0 ? '' : `; ${listed(outside)} the two are too close to call`
}

function doubtful(doubts: readonly number[]): string {
  if (doubts.length === 0) return ''
  const last = doubts.at(-1) === 1 ? 'row' : 'rows'
  return `; at ${listed(doubts.map((rows) => whole(rows)))} ${last} the two are too close to call`
}

function between({ from, to }: Span): string {
  return from === to ? `(${rowsText(to)})` : `from ${whole(from)} to ${rowsText(to)}`
}

function withoutComparison({ cells }: BenchResults, server: string, caseId: string): string {
  const ofCase = cells.filter((cell) => cell.server === server && cell.case === caseId)
  const reasonOf = (method: string) => {
    const ofMethod = ofCase.filter((cell) => cell.method === method)
    const untimed = ofMethod.find((cell) => 'reason' in cell)
    if (untimed === undefined || ofMethod.some((cell) => !('reason' in cell))) return undefined
    const verb = untimed.outcome === 'not possible' ? 'not possible here' : untimed.outcome
    return `${method.toUpperCase()} is ${verb} (${visible(untimed.reason)})`
  }
  const [ofDelete, ofTruncate] = [reasonOf('delete'), reasonOf('truncate')]
  const isMeasured = (method: string) =>
    ofCase.some((cell) => cell.method === method && cell.outcome === 'measured')
  if (ofTruncate !== undefined && isMeasured('delete')) return `DELETE; ${ofTruncate}.`
  if (ofDelete !== undefined && isMeasured('truncate')) return `TRUNCATE; ${ofDelete}.`
  const reason = ofDelete ?? ofTruncate
  return `there are no times of both DELETE and TRUNCATE to compare${reason === undefined ? '' : `: ${reason}`}.`
}

/** One sentence that summarizes many tables of the user. */
function acrossTables(results: BenchResults, all: readonly Recommendation[]): string {
  const label = (id: string) => visible(results.cases.find((benchCase) => benchCase.id === id)?.label ?? id)
  const name = namesIn(results)
  const grows = all
    .flatMap(({ case: id, crossover }) =>
      crossover.kind === 'crosses' && crossover.above === 'truncate' ? [{ id, rows: crossover.rows }] : [],
    )
    .toSorted((a, b) => a.rows - b.rows)
  const [least, most] = [grows[0], grows.at(-1)]
  const always = all.flatMap(({ crossover }) => (crossover.kind === 'always' ? [crossover] : []))
  const phrases: string[] = []
  if (least !== undefined && most !== undefined) {
    const range =
      about(least.rows) === about(most.rows)
        ? `about ${about(least.rows)} rows`
        : `about ${about(least.rows)} (${label(least.id)}) to ${about(most.rows)} rows (${label(most.id)})`
    phrases.push(`${name('truncate')} from ${range} on in ${tables(grows.length)}`)
  }
  for (const method of ['truncate', 'delete']) {
    const ofMethod = always.filter(({ faster }) => faster === method)
    const doubtful = ofMethod.filter((crossover) => exceptOf(crossover) !== '').length
    const sure = ofMethod.length - doubtful
    if (sure > 0) phrases.push(`${name(method)} at every size in ${tables(sure)}`)
    if (doubtful > 0) {
      phrases.push(`${name(method)} wherever a difference can be measured in ${tables(doubtful)}`)
    }
  }
  const rest = all.length - grows.length - always.length
  if (rest > 0) phrases.push(`no such rule in ${tables(rest)}`)
  return phrases.length === 0 ? 'nothing was measured.' : `${phrases.join('; ')}.`
}

function tables(count: number): string {
  return count === 1 ? '1 table' : `${whole(count)} tables`
}

function namesIn({ methods }: BenchResults): (method: string) => string {
  return (method) => methods.find(({ id }) => id === method)?.label ?? method
}
