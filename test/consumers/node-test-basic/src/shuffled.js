import { test } from 'node:test'

/** Registers the tests in a random order, whose seed is printed. */
export function shuffled(tests) {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
  process.stderr.write(`SEED=${seed}\n`)
  let state = seed
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const left = Object.entries(tests)
  while (left.length > 0) {
    const [[name, body]] = left.splice(Math.floor(next() * left.length), 1)
    test(name, body)
  }
}
