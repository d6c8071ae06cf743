import { expect, it } from 'vitest'
import { largestFirst, neighboursTogether } from '../../../src/engine/mysql/copy-messages.ts'

const statements = (count: number) => Array.from({ length: count }, (_, n) => `CREATE TABLE t${n}`)

it('keeps the order of statements, in messages for all sessions', () => {
  const all = statements(140)
  expect(neighboursTogether(all, 1)).toEqual([all])
  const messages = neighboursTogether(all, 2)
  expect(messages.flat()).toEqual(all)
  expect(messages.map(({ length }) => length)).toEqual([35, 35, 35, 35])
  expect(neighboursTogether([], 2)).toEqual([])
})

it('splits what is too long for one message', () => {
  const long = 'x'.repeat(600_000)
  expect(neighboursTogether([long, long, 'y'], 1)).toEqual([[long], [long, 'y']])
  const longer = 'x'.repeat(2_000_000)
  expect(neighboursTogether(['y', longer, 'z'], 1)).toEqual([['y'], [longer], ['z']])
})

it('begins with the largest table, which has a message of its own', () => {
  const copies = [
    { sql: 'small', bytes: 100 },
    { sql: 'huge', bytes: 5_000_000 },
    { sql: 'tiny', bytes: 10 },
    { sql: 'large', bytes: 1_500_000 },
  ]
  expect(largestFirst(copies, 1)).toEqual([['huge'], ['large'], ['small', 'tiny']])
  expect(largestFirst(copies, 2)).toEqual([['huge'], ['large'], ['small'], ['tiny']])
})
