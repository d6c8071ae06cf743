/**
 * Calls wait for each other: a runner may begin a test's hook while another's is not over (jest, after an uncaught
 * exception).
 */
export function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const next = last.then(work, work)
    last = next.catch(() => {})
    return next
  }
}
