import { sleep } from './clock.ts'

/** A conflict of a few sessions is over after two or three; this many show that it stays. */
const MOST_ATTEMPTS = 10

/**
 * Runs again what failed because another session was in the way, after a pause that grows and is random: sessions
 * that begin again at the same time would meet again.
 *
 * @param run counts its attempts from 1
 * @param mayPass whether the same may succeed a moment later
 * @throws the last error
 */
export async function repeat<T>(
  run: (attempt: number) => Promise<T>,
  mayPass: (error: unknown) => boolean,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run(attempt)
    } catch (error) {
      if (attempt >= MOST_ATTEMPTS || !mayPass(error)) throw error
      await sleep(5 * Math.random() * attempt)
    }
  }
}
