import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { describeCase, drawCases } from '../../benchmarks/auto/cases.ts'
import {
  isClear,
  isGoodEnough,
  judge,
  type Outcome,
  type Results,
  scoreOf,
} from '../../benchmarks/auto/results.ts'
import { summarize } from '../../src/bench/measure.ts'
import { randomFrom } from '../../src/generate/random.ts'
import { serverAtHand } from '../support/servers.ts'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'afresh-bench-auto-'))
afterAll(() => rmSync(folder, { recursive: true }))

const server = serverAtHand('embedded:18')
const skipped = 'missing' in server ? ` NOT RUN: embedded:18 (${server.missing})` : ''

describe.skipIf(skipped !== '')(`the benchmark of strategy auto${skipped}`, () => {
  it('resets random tables with both methods, and reports the choice of auto', { timeout: 60_000 }, () => {
    const out = join(folder, 'results.json')
    const options = ['--servers', 'embedded:18', '--cases', '4', '--rounds', '3', '--seed', '5', '--out', out]
    const run = spawnSync('npx', ['jiti', 'benchmarks/auto/run.ts', ...options], {
      cwd: root,
      encoding: 'utf8',
    })
    expect(run.stderr).toMatch(/4 cases, seed 5/)
    // So few rounds on a busy machine may lead to wrong choices.
    expect([0, 1]).toContain(run.status)
    expect(run.stdout).toMatch(/right in \d of 4/)
    const { servers } = JSON.parse(readFileSync(out, 'utf8')) as Results
    expect(servers.map(({ id }) => id)).toEqual(['embedded:18'])
    expect(servers[0]?.cases).toHaveLength(4)
    for (const benchCase of servers[0]?.cases ?? []) {
      expect(benchCase).toMatchObject(judge(benchCase))
      expect([3, 6]).toContain(benchCase.delete.n)
    }
  })

  it('reports a wrong option', () => {
    const run = spawnSync('npx', ['jiti', 'benchmarks/auto/run.ts', '--cases', 'few'], {
      cwd: root,
      encoding: 'utf8',
    })
    expect(run.status).toBe(2)
    expect(run.stderr).toContain("--cases: 'few' is not ")
  })
})

describe('the random cases', () => {
  it('are the same for the same seed, and within limits', () => {
    const cases = drawCases(randomFrom(1), 'postgres', 200)
    expect(drawCases(randomFrom(1), 'postgres', 200)).toEqual(cases)
    expect(drawCases(randomFrom(2), 'postgres', 200)).not.toEqual(cases)
    for (const { rows } of cases) expect(rows >= 1 && rows <= 100_000).toBe(true)
    const near = cases.filter(({ rows }) => rows >= 30 && rows <= 10_000)
    expect(near.length).toBeGreaterThan(100)
    expect(drawCases(randomFrom(1), 'mysql', 200).every(({ mayDisableChecks }) => mayDisableChecks)).toBe(
      true,
    )
    const [first] = cases
    if (first === undefined) throw new Error('no case')
    expect(describeCase(first)).toMatch(/^no\. 1: [\d,]+ rows, \d indexes/)
  })
})

function outcome(deletes: number[], truncates: number[], truncated: number): Outcome {
  const auto = summarize(deletes)
  return { delete: summarize(deletes), truncate: summarize(truncates), auto, truncated, detector: 'scan' }
}

describe('the verdict', () => {
  it('takes the method with the lower median as right, and judges the choice of most rounds', () => {
    const apart = outcome([1, 1, 1], [2, 2, 2], 1)
    expect(judge(apart)).toEqual({ chose: 'delete', best: 'delete', loss: 1, isRight: true })
    expect(judge({ ...apart, truncated: 2 })).toEqual({
      chose: 'truncate',
      best: 'delete',
      loss: 2,
      isRight: false,
    })
  })

  it('accepts the other method where the two overlap and the loss is negligible', () => {
    expect(judge(outcome([1, 1.02, 1.04], [1, 1, 1.03], 0))).toMatchObject({ isRight: true, loss: 1.02 })
    expect(judge(outcome([1.02, 1.02, 1.02], [1, 1, 1], 0))).toMatchObject({ isRight: false })
    expect(judge(outcome([0.9, 1.1, 1.3], [0.9, 1, 1.3], 0))).toMatchObject({ isRight: false })
  })

  it('requires more rounds for a smaller difference', () => {
    expect(isClear(outcome([1, 1, 1], [5, 5, 5], 0))).toBe(false)
    expect(isClear(outcome([1, 1, 1], [5, 5, 5], 0), { inHaste: true })).toBe(true)
    expect(isClear(outcome(Array(5).fill(1), Array(5).fill(5), 0))).toBe(true)
    expect(isClear(outcome(Array(5).fill(1), Array(5).fill(3), 0))).toBe(false)
    expect(isClear(outcome(Array(9).fill(1), Array(9).fill(3), 0))).toBe(true)
    expect(isClear(outcome(Array(31).fill(1), Array(31).fill(1.1), 0))).toBe(false)
  })

  it('fails below 95 % or with a loss of 1.3', () => {
    const right = (count: number) => Array.from({ length: count }, () => outcome([1, 1], [2, 2], 0))
    const wrong = outcome([1.2, 1.2], [1, 1], 0)
    const judged = (all: Outcome[]) => scoreOf(all.map((outcome) => ({ ...outcome, ...judge(outcome) })))
    const score = judged([...right(19), wrong])
    expect(score).toMatchObject({
      right: 19,
      of: 20,
      worstLoss: 1.2,
      confusion: { delete: { delete: 19, truncate: 1 }, truncate: { delete: 0, truncate: 0 } },
    })
    expect(isGoodEnough(score)).toBe(true)
    expect(isGoodEnough(judged([...right(18), wrong]))).toBe(false)
    expect(isGoodEnough(judged([...right(99), outcome([1.3, 1.3], [1, 1], 0)]))).toBe(false)
    expect(isGoodEnough(judged(right(20)))).toBe(true)
  })
})
