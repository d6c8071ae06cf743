import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { type BenchOptions, bench, resultsFile } from '../../bench/bench.ts'
import { CASES } from '../../bench/cases.ts'
import { compareRuns } from '../../bench/compare-runs.ts'
import { METHODS } from '../../bench/methods.ts'
import { parseResults } from '../../bench/results.ts'
import type { MethodId } from '../../engine/bench-dialect.ts'
import { AfreshError } from '../../errors.ts'
import { pickServer } from '../../server/pick-server.ts'
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
  readonly against?: string
  readonly fresh?: boolean
  readonly out: string
}

const LEAST_ROUNDS = 3

export const benchCommand = defineCommand<BenchFlags>({
  notes: `
Creates tables on a server that it starts (default: the best available) or in a clone of your database (--url; the
database itself is only read), and fills and empties them repeatedly, each method in turn. Results are written as they
arrive: after an interruption, the same command continues; with more rows or servers it adds to them. Open report.html.

  afresh bench                                      about two minutes, to 100,000 rows
  afresh bench --engine postgres:18,mysql:9.7 --full     everything, to 10,000,000 rows: hours
  afresh bench --url postgres://localhost/shop      your own tables, one by one
  afresh bench --against old/results.json           what has changed since

Methods: ${METHODS.map(({ id }) => id).join(', ')}.
Cases: ${CASES.map(({ id }) => id).join(', ')}.`,
  options: (command: Command) =>
    command
      .option('--url <url>', "measure this database's own tables, in a clone of it")
      .option('--engine <list>', 'images, embedded, sqlite, or URLs of servers, separated by commas', list)
      .option('--rows <list>', 'numbers of rows: 1000,100000,10000000', numbers)
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
      .option('--seed <n>', 'random seed for the order of the methods', wholeNumber(1), 1)
      .option('--against <file>', 'compare with the results.json of another run')
      .option('--fresh', 'ignore earlier results in the folder')
      .option('--out <dir>', 'the folder for results and report', 'afresh-bench'),

  async run(flags, output) {
    refuseContradictions(flags)
    const earlier = flags.against === undefined ? undefined : await readResults(flags.against)
    const interrupted = onInterrupt(flags)
    try {
      const { results, files } = await bench({
        ...(await optionsOf(flags, output)),
        signal: interrupted.signal,
      })
      const comparison = earlier === undefined ? undefined : compareRuns(results, earlier)
      output.document({ results, files, ...(comparison && { comparison }) })
      writeResults(results, output)
      if (comparison !== undefined) writeComparison(comparison, flags.against ?? '', output)
      output.line()
      output.line(`${files.html}, with the figures in ${files.results} and ${files.csv}`)
      return EXIT.done
    } catch (error) {
      if (!interrupted.signal.aborted || error !== interrupted.signal.reason) throw error
      sayStopped(flags)
      return EXIT.interrupted
    } finally {
      interrupted.forget()
    }
  },
})

function refuseContradictions(flags: BenchFlags): void {
  const { url, engine, against, out, fresh } = flags
  if (url !== undefined && engine !== undefined) {
    throw new AfreshError('usage', '--url and --engine cannot be combined.', {
      next: 'Give one of them.',
    })
  }
  const ignored = (['cases', 'methods', 'limit', 'full'] as const).filter((name) => flags[name] !== undefined)
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
  const { url, out, fresh = false, full = false, rounds, seed } = flags
  const { allow = [] } = await attachOptions({}, output)
  const rows = flags.rows ?? powersOfTen(url !== undefined ? 4 : full ? 7 : 5)
  return {
    servers: url === undefined ? (flags.engine ?? [await bestAtHand(output)]) : [],
    url,
    allow,
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

/**
 * A server that bench started ends with this process. On any other server, bench must drop its databases
 * after the running statement. A second Ctrl-C exits at once, and leaves that to the next run on the server.
 */
function onInterrupt(flags: BenchFlags): { readonly signal: AbortSignal; forget(): void } {
  const controller = new AbortController()
  const stays = flags.url !== undefined || flags.engine?.some((server) => server.includes('://'))
  const stop = () => {
    if (stays && !controller.signal.aborted) {
      process.stderr.write(
        '\nStops when the statement is over that runs, and drops what it made on the server. Ctrl-C again stops at once.\n',
      )
      controller.abort()
      return
    }
    sayStopped(flags)
    if (stays) {
      process.stderr.write(
        'Databases afresh_bench_… may be left on the server. The next run of afresh there drops them, except one that was being copied.\n',
      )
    }
    process.exit(EXIT.interrupted)
  }
  process.on('SIGINT', stop)
  return { signal: controller.signal, forget: () => process.off('SIGINT', stop) }
}

function sayStopped({ out, fresh }: BenchFlags): void {
  const again = fresh ? 'the same command without --fresh' : 'the same command'
  process.stderr.write(
    `\nStopped. What was measured is in ${resultsFile(out)}; ${again} continues from there.\n`,
  )
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function numbers(text: string): number[] {
  const all = list(text).map((part) => Number(part.replaceAll('_', '')))
  if (all.length > 0 && all.every((number) => Number.isSafeInteger(number) && number >= 0)) {
    return [...new Set(all)].sort((a, b) => a - b)
  }
  throw new InvalidArgumentError('They must be whole numbers, separated by commas: 1000,100000.')
}

function methodIds(text: string): MethodId[] {
  const known = METHODS.map(({ id }) => id)
  return list(text).map((part) => {
    const found = known.find((id) => id === part)
    if (found === undefined)
      throw new InvalidArgumentError(`There is no method '${part}': ${known.join(', ')}.`)
    return found
  })
}

function caseIds(text: string): string[] {
  const known = CASES.map(({ id }) => id)
  const ids = list(text)
  if (ids.includes('all')) return known
  const unknown = ids.find((part) => !known.includes(part))
  if (unknown !== undefined)
    throw new InvalidArgumentError(`There is no case '${unknown}': ${known.join(', ')}.`)
  return ids
}

function seconds(text: string): number {
  const number = Number(text)
  if (Number.isFinite(number) && number > 0) return number
  throw new InvalidArgumentError('It must be a number of seconds above 0.')
}
