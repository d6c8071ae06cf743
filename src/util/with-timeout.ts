import { clearTimeout, setTimeout } from './clock.ts'

/**
 * `work`, or what `onTimeout` gives or throws when it takes longer. The work itself goes on: whoever calls this has to live
 * with it.
 *
 * @param timeoutMs milliseconds
 */
export async function withTimeout<T>(work: Promise<T>, timeoutMs: number, onTimeout: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  })
  try {
    return await Promise.race([work, timeout.then(onTimeout)])
  } finally {
    // It would keep the process alive.
    clearTimeout(timer)
  }
}

/** For `onTimeout`. @param what named in the error: `pulling postgres:18` */
export function tookTooLong(what: string, timeoutMs: number): () => never {
  return () => {
    throw new Error(`${what} took longer than ${timeoutMs / 1000} s`)
  }
}

/** Waits for work, but no longer than so many milliseconds; its result and its failure are nobody's. */
export function settledWithin(work: Promise<unknown>, timeoutMs: number): Promise<unknown> {
  return withTimeout(
    work.catch(() => {}),
    timeoutMs,
    () => undefined,
  )
}
