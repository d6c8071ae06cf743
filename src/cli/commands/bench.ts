import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { type BenchOptions, bench, resultsFile } from '../../bench/bench.ts'
import { CASES } from '../../bench/cases.ts'
import { type Comparison, compareRuns, slowerThan } from '../../bench/compare-runs.ts'
import { METHODS } from '../../bench/methods.ts'
import { parseResults } from '../../bench/results.ts'
import type { MethodId } from '../../engine/bench-dialect.ts'
import { AfreshError } from '../../errors.ts'
import { pickServer } from '../../server/pick-server.ts'
import { caseIds, factor, list, methodIds, rowNumbers, seconds, setting } from '../bench/arguments.ts'
import { onInterrupt, sayStopped } from '../bench/interrupt.ts'
import { markdownOf } from '../bench/markdown.ts'
import { writeComparison, writeResults } from '../bench/text.ts'
import { defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { attachOptions, wholeNumber } from '../options.ts'
import type { Output } from '../output.ts'

interface BenchFlags {
  readonly url?: string
  readonly engine?: readonly string[]
  readonly rows?: readonly number[]
  readonly cases?: readonly string[]
  readonly methods?: readonly MethodId[]
  readonly full?: boolean
  readonly rounds: number
  readonly budget?: number
  readonly limit?: number
  readonly seed: number
  readonly set?: Readonly<Record<string, string>>
  readonly against?: string
  readonly failAbove?: number
  readonly markdown?: boolean
  readonly samples?: boolean
  readonly fresh?: boolean
  readonly out: string
}

/** Where one takes less than a second. Longer ones get 5, and 3 from a minute on. */
const LEAST_ROUNDS = 15

export const benchCommand = defineCommand<BenchFlags>({
  notes: `
Creates tables on a server that it starts (default: the best available) or in a clone of your database (--url; the
database itself is only read), and fills and empties them repeatedly, each method in turn. Results are written as they
arrive: after an interruption, the same command continues; with more rows or servers it adds to them. Open report.html.

  afresh bench                                      about five minutes, to 100,000 rows
  afresh bench --engine postgres:18,mysql:9.7 --full     everything, to 10,000,000 rows: hours
  afresh bench --url postgres://localhost/shop      your own tables, one by one
  afresh bench --against old/results.json           what has changed since
  afresh bench --engine postgres:18 --set shared_buffers=4GB     with a setting of the server

Methods: ${METHODS.map(({ id }) => id).join(', ')}.
Cases: ${CASES.map(({ id }) => id).join(', ')}.`,
  options: (command: Command) =>
    command
      .option('--url <url>', "measure this database's own tables, in a clone of it")
      .option('--engine <list>', 'images, embedded, sqlite, or URLs of servers, separated by commas', list)
      .option('--rows <list>', 'numbers of rows of each table: 1000,100000,10M', rowNumbers)
      .option('--cases <list>', 'what is varied, or `all` (default: base)', caseIds)
      .option('--methods <list>', 'methods to empty a table (default: all)', methodIds)
      .option('--full', 'all cases, and up to 10,000,000 rows')
      .option('--rounds <n>', 'maximum number of measurements of each figure', wholeNumber(1), 30)
      .option(
        '--budget <seconds>',
        'time for each method at each number of rows (default: 1, with --full 5)',
        seconds,
      )
      .option(
        '--limit <seconds>',
        'time limit for one run of a method (default: 20, with --full 300)',
        seconds,
      )
      .option('--set <name=value>', 'a setting of the servers that it starts; may be repeated', setting)
      .option('--seed <n>', 'random seed for the order of the methods', wholeNumber(1), 1)
      .option('--against <file>', 'compare with the results.json of another run')
      .option(
        '--fail-above <factor>',
        'with --against: exit 1 if anything certainly takes longer by it',
        factor,
      )
      .option('--markdown', 'print Markdown, for the summary of a CI run')
      .option('--samples', 'also write samples.csv, every single time')
      .option('--fresh', 'ignore earlier results in the folder')
      .option('--out <dir>', 'the folder for results and report', 'afresh-bench'),

  async run(flags, output) {
    refuseContradictions(flags)
    const earlier = flags.against === undefined ? undefined : await readResults(flags.against)
    const interrupted = onInterrupt(flags)
    try {
      const options = { ...(await optionsOf(flags, output)), signal: interrupted.signal }
      const { results, files } = await bench({ ...options, withSamples: flags.samples === true })
      const comparison = earlier === undefined ? undefined : compareRuns(results, earlier)
      output.document({ results, files, ...(comparison && { comparison }) })
      if (flags.markdown === true) output.line(markdownOf(results, comparison, flags.against))
      else {
        writeResults(results, output)
        if (comparison !== undefined) writeComparison(comparison, flags.against ?? '', output)
        output.line()
        output.line(`${files.html}, with the figures in ${files.results} and ${files.csv}`)
      }
      return isTooSlow(comparison, flags.failAbove, output) ? EXIT.failed : EXIT.done
    } catch (error) {
      if (!interrupted.signal.aborted || error !== interrupted.signal.reason) throw error
      sayStopped(flags)
      return EXIT.interrupted
    } finally {
      interrupted.forget()
    }
  },
})

/** Says what takes longer than allowed. */
function isTooSlow(
  comparison: Comparison | undefined,
  failAbove: number | undefined,
  output: Output,
): boolean {
  if (comparison === undefined || failAbove === undefined) return false
  const slower = slowerThan(comparison, failAbove)
  if (slower.length > 0) {
    output.progress(
      `${slower.length} of ${comparison.compared} figures certainly take more than ${failAbove} times as long as before (--fail-above).`,
    )
  }
  return slower.length > 0
}

function refuseContradictions(flags: BenchFlags): void {
  const { url, engine, against, out, fresh, failAbove } = flags
  if (failAbove !== undefined && against === undefined) {
    throw new AfreshError('usage', '--fail-above compares with an earlier run, and there is no --against.', {
      next: 'Name the results.json of the earlier run with --against.',
    })
  }
  if (url !== undefined && engine !== undefined) {
    throw new AfreshError('usage', '--url and --engine cannot be combined.', {
      next: 'Give one of them.',
    })
  }
  const ignored = (['cases', 'methods', 'limit', 'full', 'set'] as const).filter(
    (name) => flags[name] !== undefined,
  )
  if (url !== undefined && ignored.length > 0) {
    const names = ignored.map((name) => `--${name}`).join(', ')
    throw new AfreshError(
      'usage',
      `With --url there is no ${names}: each table is emptied by DELETE and by TRUNCATE.`,
      {
        next: 'Leave it out; --rows, --budget and --rounds say how thoroughly it is measured.',
      },
    )
  }
  if (against !== undefined && fresh !== true && resolve(against) === resolve(resultsFile(out))) {
    throw new AfreshError(
      'usage',
      `${against} is the file that this run continues: it cannot be compared with itself.`,
      {
        next: 'Choose another folder with --out.',
      },
    )
  }
}

async function optionsOf(flags: BenchFlags, output: Output): Promise<BenchOptions> {
  const { url, out, fresh = false, full = false, rounds, seed, set } = flags
  const { allow = [] } = await attachOptions({}, output)
  const rows = flags.rows ?? powersOfTen(url !== undefined ? 4 : full ? 7 : 5)
  return {
    servers: url === undefined ? (flags.engine ?? [await bestAtHand(output)]) : [],
    url,
    allow,
    set,
    mustFit: url === undefined && flags.rows !== undefined,
    rows,
    cases: flags.cases ?? (full ? CASES.map(({ id }) => id) : ['base']),
    methods: flags.methods ?? METHODS.map(({ id }) => id),
    rounds,
    leastRounds: Math.min(LEAST_ROUNDS, rounds),
    budgetMs: 1000 * (flags.budget ?? (full ? 5 : 1)),
    limitMs: 1000 * (flags.limit ?? (full ? 300 : 20)),
    seed,
    out,
    fresh,
    onProgress: output.progress,
  }
}

async function bestAtHand(output: Output): Promise<string> {
  const { spec, reason } = await output.during((progress) => pickServer({ progress }))
  output.progress(reason)
  return spec.kind === 'container' ? spec.image : 'embedded'
}

/** 0 and the powers of ten up to 10^most. */
function powersOfTen(most: number): number[] {
  return [0, ...Array.from({ length: most + 1 }, (_, power) => 10 ** power)]
}

async function readResults(file: string) {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new AfreshError('usage', `The file ${file} cannot be read.`, { next: 'Correct the path.', cause })
  })
  return parseResults(text, file)
}
