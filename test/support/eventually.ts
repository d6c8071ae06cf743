import { readFileSync } from 'node:fs'

/** Waits until the process has ended. */
export async function gone(pid: number): Promise<void> {
  await eventually(() => {
    try {
      process.kill(pid, 0)
      return isZombie(pid) || undefined
    } catch {
      return true
    }
  })
}

/** Ended, but nobody has asked how: where init is not there to ask, it stays so. */
function isZombie(pid: number): boolean {
  return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
}

/** Looks until there is something to be seen, for 10 s at most. */
export async function eventually<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 10_000
  for (;;) {
    try {
      const found = await look()
      if (found !== undefined) return found
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
    if (Date.now() > deadline) throw new Error('it did not happen in 10 s')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
