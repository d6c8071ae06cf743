import { clearTimeout, setTimeout } from './clock.ts'

/**
 * Returns the result of `work`, or that of `onTimeout` if `work` takes longer. Does not cancel `work`.
 *
 * @param timeoutMs milliseconds
 * @param onTimeout returns the result after a timeout, or throws
 */
export async function withTimeout<T>(work: Promise<T>, timeoutMs: number, onTimeout: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  })
  try {
    return await Promise.race([work, timeout.then(onTimeout)])
  } finally {
    // A pending timer keeps the process alive.
    clearTimeout(timer)
  }
}

/** Returns an `onTimeout` that throws. @param what the subject of the error message: `pulling postgres:18` */
export function tookTooLong(what: string, timeoutMs: number): () => never {
  return () => {
    throw new Error(`${what} took longer than ${timeoutMs / 1000} s`)
  }
}

/** Waits until `work` settles, at most `timeoutMs` milliseconds. Ignores its result and its failure. */
export function settledWithin(work: Promise<unknown>, timeoutMs: number): Promise<unknown> {
  return withTimeout(
    work.catch(() => {}),
    timeoutMs,
    () => undefined,
  )
}
