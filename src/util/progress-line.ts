/**
 * In: the events of a start. Out: one line that says what is going on, once that has taken a second. The
 * caller owns the stream: the command line, or the global setup of a runner.
 */
import { clearInterval, now as clock, setInterval } from './clock.ts'
import { describeProgress, type Progress, type ProgressEvent } from './progress.ts'

/** The part of `process.stderr` that the line needs. */
export interface LineStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export interface ProgressLineOptions {
  /** Whether the line replaces itself, as a terminal allows. Otherwise every line stays. */
  readonly inPlace: boolean
  /** Monotonic milliseconds, for tests. */
  readonly now?: () => number
}

/** Milliseconds before the first line, and between two looks at what is going on. */
const TICK_MS = 1_000
/** Milliseconds between two lines of the same phase that stay. */
const SAME_PHASE_MS = 10_000
/** Milliseconds between two changes of the line that replaces itself. */
const REDRAW_MS = 100

/** Begins every line. */
const PREFIX = 'afresh: '
const ERASE_LINE = '\r\u001b[2K'

/** Whether a line can replace itself: on a terminal, unless its output is kept, as in CI. */
export function canReplaceLine(
  { isTTY }: LineStream,
  { CI, TERM }: NodeJS.ProcessEnv = process.env,
): boolean {
  return isTTY === true && TERM !== 'dumb' && ['', '0', 'false', undefined].includes(CI)
}

/** Calls `work` with what prints a line about it on the stream, once it has taken a second. */
export async function withProgressLine<T>(
  stream: LineStream,
  work: (progress: Progress) => Promise<T>,
  options: ProgressLineOptions = { inPlace: canReplaceLine(stream) },
): Promise<T> {
  const line = new ProgressLine(stream, options)
  try {
    return await work(line.report)
  } finally {
    line.end()
  }
}

export class ProgressLine {
  readonly #stream: LineStream
  readonly #options: Required<ProgressLineOptions>
  readonly #start: number
  readonly #timer: NodeJS.Timeout
  readonly #notices: string[] = []
  #event: ProgressEvent | undefined
  #printed: { readonly text: string; readonly phase: string; readonly timeMs: number } | undefined
  #isVisible = false

  /** Begins to count. `end` has to follow. */
  constructor(stream: LineStream, { inPlace, now = clock }: ProgressLineOptions) {
    this.#stream = stream
    this.#options = { inPlace, now }
    this.#start = now()
    this.#timer = setInterval(() => this.tick(), TICK_MS)
    this.#timer.unref()
  }

  /** A step has begun. */
  readonly report = (event: ProgressEvent): void => {
    if (event.phase === 'notice') {
      this.#notices.push(describeProgress(event))
      if (this.#isVisible) this.#writeNotices()
      return
    }
    this.#event = event
    const isDue = this.#options.now() - (this.#printed?.timeMs ?? 0) >= REDRAW_MS
    if (this.#isVisible && this.#options.inPlace && isDue) this.#draw(event)
  }

  /** Prints what is going on now. The timer calls it every second. */
  tick(): void {
    const { inPlace, now } = this.#options
    this.#isVisible = true
    this.#writeNotices()
    const event = this.#event
    if (event === undefined) return
    const last = this.#printed
    const isNew = last?.text !== describeProgress(event)
    const isDue = last?.phase !== event.phase || now() - last.timeMs >= SAME_PHASE_MS
    if (inPlace || (isNew && isDue)) this.#draw(event)
  }

  /** Removes the line from the terminal. Nothing is printed any more. */
  end(): void {
    clearInterval(this.#timer)
    if (this.#options.inPlace && this.#printed !== undefined) this.#stream.write(ERASE_LINE)
    this.#isVisible = false
    this.#printed = undefined
  }

  #draw(event: ProgressEvent): void {
    const { inPlace, now } = this.#options
    const text = describeProgress(event)
    this.#printed = { text, phase: event.phase, timeMs: now() }
    if (!inPlace) {
      this.#stream.write(`${PREFIX}${text} …\n`)
      return
    }
    const seconds = ` … ${Math.floor((now() - this.#start) / 1000)} s`
    const width = Math.max(20, (this.#stream.columns || 80) - 1)
    const line = `${PREFIX}${text}`.slice(0, width - seconds.length)
    this.#stream.write(`${ERASE_LINE}${line}${seconds}`)
  }

  #writeNotices(): void {
    const { inPlace } = this.#options
    for (const notice of this.#notices.splice(0)) {
      this.#stream.write(`${inPlace ? ERASE_LINE : ''}${PREFIX}${notice}\n`)
    }
  }
}
