import { sleep } from '../../util/clock.ts'
import { DEADLOCK } from './errno.ts'
import { errnoOf } from './session.ts'

const MOST_DEADLOCKS = 10

/**
 * Runs statements that commit by themselves and may be repeated, again after each deadlock. Sessions that
 * create the same table, or a parent and its child, at one time wait for each other's metadata locks: MySQL ends
 * one of them, also with `IF NOT EXISTS`.
 *
 * @throws the error of `run`, also after the tenth deadlock
 */
export async function repeatDeadlocked<T>(run: () => Promise<T>): Promise<T> {
  for (let deadlocks = 1; ; deadlocks += 1) {
    try {
      return await run()
    } catch (error) {
      if (errnoOf(error) !== DEADLOCK || deadlocks > MOST_DEADLOCKS) throw error
      await sleep(5 * Math.random() * deadlocks)
    }
  }
}
