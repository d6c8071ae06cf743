/** Captured at load: tests may fake the global one later. */
const { setImmediate } = globalThis

/** Resolves after one turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}
