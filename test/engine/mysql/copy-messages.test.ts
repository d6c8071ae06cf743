import { expect, it } from 'vitest'
import { largeRowsMessages, tableMessages } from '../../../src/engine/mysql/copy-messages.ts'

const tables = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ create: `CREATE TABLE t${n}`, rows: undefined }))

it('keeps the order of tables, in messages for all sessions', () => {
  const all = tables(140)
  const statements = all.map(({ create }) => create)
  expect(tableMessages(all, 1)).toEqual([statements])
  const messages = tableMessages(all, 2)
  expect(messages.flat()).toEqual(statements)
  expect(messages.map(({ length }) => length)).toEqual([35, 35, 35, 35])
  expect(tableMessages([], 2)).toEqual([])
})

it('splits what is too long for one message', () => {
  const messagesOf = (...texts: string[]) =>
    tableMessages(
      texts.map((create) => ({ create, rows: undefined })),
      1,
    )
  const long = 'x'.repeat(600_000)
  expect(messagesOf(long, long, 'y')).toEqual([[long], [long, 'y']])
  const longer = 'x'.repeat(2_000_000)
  expect(messagesOf('y', longer, 'z')).toEqual([['y'], [longer], ['z']])
})

it('fills a small table at once, and the large ones later, the largest first', () => {
  const all = [
    { create: 'create small', rows: { sql: 'fill small', bytes: 100 } },
    { create: 'create large', rows: { sql: 'fill large', bytes: 1_500_000 } },
    { create: 'create empty', rows: undefined },
    { create: 'create huge', rows: { sql: 'fill huge', bytes: 5_000_000 } },
  ]
  expect(tableMessages(all, 1)).toEqual([
    ['create small', 'fill small', 'create large', 'create empty', 'create huge'],
  ])
  expect(largeRowsMessages(all)).toEqual([['fill huge'], ['fill large']])
})
