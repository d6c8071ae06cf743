/** What the global setup of a runner prints. To stderr: stdout may belong to a reporter. */
import type { HarnessOptions } from '../../config/options.ts'
import type { Harness } from '../../harness/harness.ts'
import { canReplaceLine, withProgressLine } from '../../util/progress-line.ts'

/**
 * Runs `start` with the options. If it takes longer than a second, prints a line that says what is going on,
 * unless the option `progress` is set.
 *
 * @param isShared whether the runner has a window of its own at the bottom of the terminal
 */
export async function withStartLine<T>(
  options: HarnessOptions,
  start: (options: HarnessOptions) => Promise<T>,
  isShared: boolean,
): Promise<T> {
  if (options.progress !== undefined) return start(options)
  const inPlace = !isShared && canReplaceLine(process.stderr)
  return withProgressLine(process.stderr, (progress) => start({ ...options, progress }), { inPlace })
}

/** One line per run, plus warnings. */
export function announce({ title, warnings }: Pick<Harness, 'title' | 'warnings'>): void {
  printLines([title, ...warnings])
}

export function printLines(lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`afresh: ${line}\n`)
}
