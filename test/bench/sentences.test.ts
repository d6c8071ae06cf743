import { describe, expect, it } from 'vitest'
import { ratioInterval } from '../../src/bench/bootstrap.ts'
import { summaryOf } from '../../src/bench/report/recommend.ts'
import type { MeasuredCell } from '../../src/bench/results.ts'
import { type Random, randomFrom } from '../../src/generate/random.ts'
import { generatedCell, generatedResults, noise, type TrueCost } from './generated.ts'

const ROWS = [1, 10, 100, 300, 1000, 3000, 10_000, 30_000, 100_000, 1_000_000]
const RUNS = 150

/** What a sentence claims to know: from where TRUNCATE is faster, and up to where DELETE is. */
interface Claims {
  readonly truncateFrom?: number
  readonly deleteBelow?: number
  readonly doubts: readonly number[]
}

function read(sentence: string): Claims {
  const number = (text: string | undefined) => Number(text?.replaceAll(',', ''))
  const doubts = [...(/; at (.*?) rows? the two/.exec(sentence)?.[1] ?? '').matchAll(/[\d,]*\d/g)].map(
    ([text]) => number(text),
  )
  const crossing =
    /^TRUNCATE from (?:about ([\d,]+)|somewhere between ([\d,]+) and ([\d,]+)) rows a table on; below that DELETE/
  const found = crossing.exec(sentence)
  if (found !== null) {
    const [, about, from, to] = found
    // "About" is not more precise than a factor of 1.5 to either side.
    if (about !== undefined)
      return { truncateFrom: 1.5 * number(about), deleteBelow: number(about) / 1.5, doubts }
    return { truncateFrom: number(to), deleteBelow: number(from), doubts }
  }
  const always = /^(TRUNCATE|DELETE) at every size from ([\d,]+) to ([\d,]+) rows/.exec(sentence)
  if (always !== null)
    return always[1] === 'TRUNCATE'
      ? { truncateFrom: number(always[2]), doubts }
      : { deleteBelow: number(always[3]) + 1, doubts }
  if (/no difference could be measured/.test(sentence)) return { doubts }
  throw new Error(`a sentence of another form: ${sentence}`)
}

/** The sizes at which a sentence says what is not true, by more than 2 %. */
function wrongSizes(sentence: string, costs: Readonly<Record<'delete' | 'truncate', TrueCost>>): number[] {
  const { truncateFrom = Number.POSITIVE_INFINITY, deleteBelow = 0, doubts } = read(sentence)
  return ROWS.filter((rows) => {
    if (doubts.includes(rows)) return false
    const ratio = costs.delete(rows) / costs.truncate(rows)
    return (rows >= truncateFrom && ratio < 0.98) || (rows < deleteBelow && ratio > 1.02)
  })
}

function randomCosts(random: Random) {
  const between = (from: number, to: number) => from * (to / from) ** (random.int(0, 1000) / 1000)
  const [fixed, perRow] = [between(0.08, 0.3), between(0.0002, 0.003)]
  const [file, perCutRow] = [between(0.3, 20), between(1e-6, 2e-5)]
  return {
    delete: (rows: number) => fixed + perRow * rows,
    truncate: (rows: number) => file + perCutRow * rows,
  }
}

describe('a sentence', () => {
  it.each([0.05, 0.2])('says only what is true of generated costs, at a noise of %d', (spread) => {
    const random = randomFrom(17)
    const runs = Array.from({ length: RUNS }, () => {
      const costs = randomCosts(random)
      const results = generatedResults(costs, { rows: ROWS, rounds: 15, spread }, random)
      const sentence = summaryOf(results)[0]?.text ?? ''
      return { sentence, wrong: wrongSizes(sentence, costs) }
    })
    const wrong = runs.filter((run) => run.wrong.length > 0)
    expect(wrong.length / RUNS, JSON.stringify(wrong.slice(0, 3))).toBeLessThanOrEqual(0.05)
    // And says something.
    expect(runs.filter(({ sentence }) => sentence.startsWith('TRUNCATE from')).length).toBeGreaterThan(
      RUNS / 2,
    )
  })

  it('calls neither method faster if they cost the same, but for one size in twenty', () => {
    const random = randomFrom(3)
    const same = (rows: number) => 1 + rows / 1000
    const sizes = [1, 1000, 100_000]
    const claims = Array.from({ length: RUNS }, () => {
      const results = generatedResults({ delete: same, truncate: same }, { rows: sizes, rounds: 15 }, random)
      return summaryOf(results)[0]?.text ?? ''
    }).filter((text) => !text.includes('no difference could be measured'))
    // Each of the sizes may differ by chance.
    expect(claims.length / RUNS).toBeLessThanOrEqual(0.05 * sizes.length + 0.04)
  })

  it('recommends nothing from three rounds that overlap', () => {
    const results = generatedResults(
      { delete: () => 1, truncate: () => 1.05 },
      { rows: [1000], rounds: 3, spread: 0.1 },
      randomFrom(5),
    )
    expect(summaryOf(results)[0]?.text).toMatch(/no difference could be measured/)
  })
})

describe('the interval of a ratio', () => {
  it('contains the true ratio in about 95 % of generated runs', () => {
    const random = randomFrom(11)
    const cell = (ms: number) =>
      generatedCell(
        { server: 's', case: 'base', rows: 1, method: 'delete' },
        Array.from({ length: 15 }, () => ms * noise(random)),
      ) as MeasuredCell
    // The median of the noise is not exactly 1: stalls move it by the same factor in both.
    const hits = Array.from({ length: 400 }, () => ratioInterval(cell(3), cell(2))).filter(
      ({ low, high }) => low <= 1.5 && high >= 1.5,
    )
    expect(hits.length / 400).toBeGreaterThan(0.92)
    expect(hits.length / 400).toBeLessThan(0.995)
  })

  it('is the same for the same samples, and wide for few', () => {
    const key = { server: 's', case: 'base', rows: 1, method: 'delete' }
    const [a, b] = [
      [1, 1.1, 1.2],
      [2, 2.2, 2.4],
    ].map((samples) => generatedCell(key, samples) as MeasuredCell)
    if (a === undefined || b === undefined) throw new Error('there are two')
    expect(ratioInterval(b, a)).toEqual({ low: 2 / 1.2, high: 2.4 })
    expect(ratioInterval({ ...b }, { ...a })).toEqual(ratioInterval(b, a))
  })
})
