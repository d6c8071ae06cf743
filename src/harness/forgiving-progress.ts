import { messageOf } from '../errors.ts'
import type { Progress } from '../util/progress.ts'

/**
 * A user's function that must not end a start: after it has thrown, it is not called again.
 *
 * @returns `problems`: what it threw, as a sentence for people
 */
export function forgiving(progress: Progress): {
  readonly progress: Progress
  readonly problems: readonly string[]
} {
  const problems: string[] = []
  return {
    progress(event) {
      if (problems.length > 0) return
      try {
        progress(event)
      } catch (error) {
        problems.push(
          `the function of the option \`progress\` failed at ${event.phase}, and was not called again: ${messageOf(error)}.`,
        )
      }
    },
    problems,
  }
}
