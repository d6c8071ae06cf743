const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
process.stderr.write(`SEED=${seed}\n`)

/** Numbers from 0 to 1 by a seed (mulberry32). */
function random(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Declares the tests in an order that the seed decides: mocha has no way to shuffle them. */
exports.inAnyOrder = (suite, tests) => {
  const next = random(seed)
  const places = new Map(Object.keys(tests).map((name) => [name, next()]))
  const names = [...places].sort(([, a], [, b]) => a - b).map(([name]) => name)
  describe(suite, () => {
    for (const name of names) it(name, tests[name])
  })
}

/** The same test several times. */
exports.times = (count, name, test) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${name} (${i + 1})`, test]))
