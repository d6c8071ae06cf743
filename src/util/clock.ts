/**
 * The real clock and timers, taken when this is loaded: tests that fake theirs (`vi.useFakeTimers()`, which freezes
 * `performance` and `node:timers/promises` too) must not stop what afresh waits for.
 */
const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis
const real = { performance: performance.now.bind(performance), date: Date.now.bind(Date) }

export { clearInterval, clearTimeout, setInterval, setTimeout }

/** Milliseconds since some moment: for durations and deadlines. */
export function now(): number {
  return real.performance()
}

/** Milliseconds since 1970. */
export function time(): number {
  return real.date()
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, milliseconds))
}
