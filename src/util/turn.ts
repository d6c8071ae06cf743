/** The real one, whatever a test fakes later. */
const { setImmediate } = globalThis

/** Fulfilled when what is under way has had its turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}
