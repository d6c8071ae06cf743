import { repeat } from '../../util/repeat.ts'
import { DEADLOCK } from './errno.ts'
import { errnoOf } from './session.ts'

/**
 * Runs statements that commit by themselves and may be repeated, again after each deadlock. Sessions that
 * create the same table, or a parent and its child, at one time wait for each other's metadata locks: MySQL ends
 * one of them, also with `IF NOT EXISTS`.
 *
 * @throws the error of `run`, also after the tenth deadlock
 */
export function repeatDeadlocked<T>(run: () => Promise<T>): Promise<T> {
  return repeat(run, (error) => errnoOf(error) === DEADLOCK)
}
