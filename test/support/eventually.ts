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

/** The process has ended but was not reaped. It stays a zombie where no init process reaps it. */
function isZombie(pid: number): boolean {
  return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
}

/** Polls until `look` returns a value, for at most 10 s. */
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
