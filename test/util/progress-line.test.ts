import { stripVTControlCharacters } from 'node:util'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { forgiving } from '../../src/harness/forgiving-progress.ts'
import { sleep } from '../../src/util/clock.ts'
import { describeProgress, type ProgressEvent } from '../../src/util/progress.ts'
import { canReplaceLine, ProgressLine, withProgressLine } from '../../src/util/progress-line.ts'

const file = (current: number, total = 40): ProgressEvent => ({
  phase: 'migrate',
  current,
  total,
  label: `${String(current).padStart(4, '0')}.sql`,
})

/** A line whose clock the test moves. */
function lineOn(inPlace: boolean, columns = 80) {
  const written: string[] = []
  let milliseconds = 0
  const stream = { columns, write: (text: string) => written.push(text) }
  const line = new ProgressLine(stream, { inPlace, now: () => milliseconds })
  const pass = (ms: number) => {
    milliseconds += ms
  }
  return { line, written, pass }
}

describe('the words', () => {
  it.each<[ProgressEvent, string]>([
    [{ phase: 'pull', label: 'mysql:9.7' }, 'pulling mysql:9.7'],
    [{ phase: 'start', label: 'postgres:18' }, 'starting postgres:18'],
    [file(7), 'migrating 7/40: 0007.sql'],
    [{ phase: 'migrate', label: 'npx prisma migrate deploy' }, 'migrating: npx prisma migrate deploy'],
    [{ phase: 'migrate' }, 'migrating'],
    [{ phase: 'fixtures' }, 'loading fixtures'],
    [{ ...file(7), phase: 'continue' }, 'continuing after migration 7/40: 0007.sql'],
    [{ phase: 'copy' }, 'copying the template'],
    [{ phase: 'wait' }, 'waiting for another process that builds the template'],
    [{ phase: 'notice', label: 'a container engine answers' }, 'a container engine answers'],
    [{ phase: 'fixtures', label: 'a\u001b[2Jb\n.sql' }, 'loading fixtures: a [2Jb .sql'],
  ])('%o', (event, words) => expect(describeProgress(event)).toBe(words))
})

describe('the line', () => {
  it('is not printed before a second has passed', () => {
    const { line, written, pass } = lineOn(true)
    line.report(file(1))
    pass(999)
    line.report(file(2))
    line.end()
    expect(written).toEqual([])
  })

  it('replaces itself on a terminal, and is gone at the end', () => {
    const { line, written, pass } = lineOn(true)
    line.report(file(1))
    pass(1_000)
    line.tick()
    pass(50)
    line.report(file(2))
    pass(500)
    line.report(file(3))
    line.end()
    expect(written).toEqual([
      '\r\u001b[2Kafresh: migrating 1/40: 0001.sql … 1 s',
      '\r\u001b[2Kafresh: migrating 3/40: 0003.sql … 1 s',
      '\r\u001b[2K',
    ])
  })

  it('fits into the terminal', () => {
    const { line, written, pass } = lineOn(true, 40)
    line.report({ phase: 'migrate', label: 'x'.repeat(200) })
    pass(2_000)
    line.tick()
    expect(stripVTControlCharacters(written[0] ?? '').trimStart()).toMatch(/^.{34}… 2 s$/)
    line.end()
  })

  it('stays elsewhere: one for each phase, and a few for many files', () => {
    const { line, written, pass } = lineOn(false)
    line.report({ phase: 'start', label: 'postgres:18' })
    for (let second = 1; second <= 60; second++) {
      pass(1_000)
      line.tick()
      for (let number = 1; number <= 100; number++) line.report(file(100 * second + number, 6_100))
    }
    line.end()
    expect(written[0]).toBe('afresh: starting postgres:18 …\n')
    expect(written[1]).toBe('afresh: migrating 200/6100: 0200.sql …\n')
    expect(written.length).toBeLessThanOrEqual(8)
  })

  it('does not repeat itself elsewhere', () => {
    const { line, written, pass } = lineOn(false)
    line.report({ phase: 'wait' })
    for (let second = 1; second <= 60; second++) {
      pass(1_000)
      line.tick()
    }
    line.end()
    expect(written).toEqual(['afresh: waiting for another process that builds the template …\n'])
  })

  it('prints notices with the first line, and none without one', () => {
    const quick = lineOn(false)
    quick.line.report({ phase: 'notice', label: 'a container engine answers' })
    quick.line.end()
    expect(quick.written).toEqual([])

    const slow = lineOn(false)
    slow.line.report({ phase: 'notice', label: 'a container engine answers' })
    slow.line.report({ phase: 'copy' })
    slow.pass(1_000)
    slow.line.tick()
    slow.line.end()
    expect(slow.written).toEqual(['afresh: a container engine answers\n', 'afresh: copying the template …\n'])
  })
})

describe('fake timers of the code under test', () => {
  afterEach(() => void vi.useRealTimers())

  it('do not stop the line', async () => {
    vi.useFakeTimers()
    const written: string[] = []
    const stream = { write: (text: string) => written.push(text) }
    await withProgressLine(stream, async (progress) => {
      progress({ phase: 'copy' })
      while (written.length === 0) await sleep(20)
    })
    expect(written).toEqual(['afresh: copying the template …\n'])
  })
})

it('a line replaces itself on a terminal only, and not in CI', () => {
  const write = () => true
  expect(canReplaceLine({ isTTY: true, write }, {})).toBe(true)
  expect(canReplaceLine({ isTTY: true, write }, { CI: 'false' })).toBe(true)
  expect(canReplaceLine({ isTTY: true, write }, { CI: 'true' })).toBe(false)
  expect(canReplaceLine({ isTTY: true, write }, { TERM: 'dumb' })).toBe(false)
  expect(canReplaceLine({ write }, {})).toBe(false)
})

it('a function that throws is called no more, and becomes a warning', () => {
  let calls = 0
  const { progress, problems } = forgiving(() => {
    calls++
    throw new Error('no such channel')
  })
  progress({ phase: 'copy' })
  progress({ phase: 'read' })
  expect(calls).toBe(1)
  expect(problems).toEqual([expect.stringMatching(/`progress` failed at copy.*no such channel/)])
})
