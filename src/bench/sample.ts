import type { MeasuredCell } from './results.ts'
import { quantileOf, summarize } from './summary.ts'

/** Figures of one round. Times in milliseconds, sizes in bytes; `undefined` if unknown. */
export interface Sample {
  readonly ms: number
  readonly journalBytes: number | undefined
  readonly freedBytes: number | undefined
  readonly leftBytes: number | undefined
  /** Milliseconds of each read in the meantime; empty without readers. */
  readonly waitsMs: readonly number[]
  readonly nextInsertMs: number | undefined
  /** Processor time of the server. */
  readonly cpuMs?: number | undefined
}

type Figures = Pick<
  MeasuredCell,
  | 'journalBytes'
  | 'freedBytes'
  | 'leftBytes'
  | 'readerWaitMs'
  | 'nextInsertMs'
  | 'cpuMs'
  | 'cpuSamples'
  | 'reader'
>

/**
 * Summarizes what was measured beside the time.
 *
 * @param samples of the rounds that count
 * @param waitsMs by round with readers: the milliseconds of each read
 */
export function figuresOf(samples: readonly Sample[], waitsMs: readonly (readonly number[])[]): Figures {
  const medianOfFigure = (figure: (sample: Sample) => number | undefined) => {
    const values = samples.map(figure).filter((value) => value !== undefined)
    return values.length === 0 ? null : summarize(values).median
  }
  const longest = waitsMs.flatMap((waits) =>
    waits.length === 0 ? [] : [waits.reduce((a, b) => Math.max(a, b), 0)],
  )
  const cpuSamples = samples.flatMap(({ cpuMs }) => (cpuMs === undefined ? [] : [rounded(cpuMs)]))
  const reads = waitsMs.flat().toSorted((a, b) => a - b)
  return {
    journalBytes: medianOfFigure(({ journalBytes }) => journalBytes),
    freedBytes: medianOfFigure(({ freedBytes }) => freedBytes),
    leftBytes: medianOfFigure(({ leftBytes }) => leftBytes),
    readerWaitMs: longest.length === 0 ? null : summarize(longest).median,
    nextInsertMs: medianOfFigure(({ nextInsertMs }) => nextInsertMs),
    ...(cpuSamples.length === 0 ? {} : { cpuMs: summarize(cpuSamples).median, cpuSamples }),
    ...(reads.length === 0
      ? {}
      : {
          reader: {
            reads: reads.length,
            p50: rounded(quantileOf(reads, 0.5)),
            p99: rounded(quantileOf(reads, 0.99)),
            max: rounded(quantileOf(reads, 1)),
          },
        }),
  }
}

/** To a tenth of a microsecond: no clock here resolves less. */
export function rounded(ms: number): number {
  return Math.round(ms * 10_000) / 10_000
}
