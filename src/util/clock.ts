/**
 * The real clock and timers, captured when this module loads. Tests with fake timers (`vi.useFakeTimers()`
 * also freezes `performance` and `node:timers/promises`) must not stop afresh's own waits.
 */
const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis
const real = { performance: performance.now.bind(performance), date: Date.now.bind(Date) }

export { clearInterval, clearTimeout, setInterval, setTimeout }

/** Monotonic milliseconds, for durations and deadlines. */
export function now(): number {
  return real.performance()
}

/** Milliseconds since 1970-01-01 UTC. */
export function time(): number {
  return real.date()
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, milliseconds))
}
