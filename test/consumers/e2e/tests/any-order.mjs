import { test as base } from 'afresh/playwright'

/** NO_RESET=1 proves that these tests need the resets: the same databases and applications, which nothing resets. */
export const test =
  process.env.NO_RESET === '1'
    ? base.extend({ database: [({ app: _ }, use) => use(undefined), { auto: true }] })
    : base

/** Numbers from 0 to 1 by a seed (mulberry32). */
function random(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Declares the tests several times, in an order that the seed decides. */
export function inAnyOrder(tests, times) {
  const next = random(Number(process.env.SEED))
  const all = Object.entries(tests).flatMap(([name, body]) =>
    Array.from({ length: times }, (_, index) => ({ name: `${name} (${index + 1})`, body, place: next() })),
  )
  for (const { name, body } of all.sort((a, b) => a.place - b.place)) test(name, body)
}
