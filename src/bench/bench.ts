/**
 * In: engines, cases and numbers of rows.
 * Out: times of each method to empty tables, as results and a report.
 * Called by `cli/commands/bench.ts`.
 */
import { join } from 'node:path'
import { AfreshError } from '../errors.ts'
import { CASES } from './cases.ts'
import { measureMatrix } from './matrix.ts'
import type { BenchSettings } from './matrix-results.ts'
import { mostRows, reasonNotToFit } from './needs.ts'
import { intoFolder, makeOutFolder, replaceFile } from './out-folder.ts'
import { type ReportFiles, writeReport } from './report/index.ts'
import type { BenchResults } from './results.ts'
import { earlierResults } from './resume.ts'
import { type Target, targetOf } from './target.ts'
import { benchUserSchema } from './user-schema.ts'

export interface BenchOptions extends BenchSettings {
  /** Images, `embedded`, `sqlite`, or server URLs; empty if `url` is set. */
  readonly servers: readonly string[]
  /** A database whose own tables are measured, in a copy. It is only read. */
  readonly url?: string | undefined
  /** Whether the numbers of rows are a wish, none of which may be left out for lack of room. */
  readonly mustFit: boolean
  /** Servers on other machines that exist for tests only, each as `host:port#system_identifier`. */
  readonly allow: readonly string[]
  /** The folder for results and report. */
  readonly out: string
  /** Settings of the servers that are started: `shared_buffers`, `4GB`. */
  readonly set?: Readonly<Record<string, string>> | undefined
  /** Also write every single time, as `samples.csv`. */
  readonly withSamples?: boolean | undefined
  /** Ignore earlier results in the folder. */
  readonly fresh: boolean
}

export interface Benched {
  readonly results: BenchResults
  readonly files: ReportFiles & { readonly results: string }
}

/** Where a run stores what it has measured so far. */
export function resultsFile(folder: string): string {
  return join(folder, 'results.json')
}

/**
 * Measures how long it takes to empty tables, and writes results and report. Results are written after each
 * number of rows, so an interrupted run keeps them. The same call continues from there, and a call with more
 * rows, cases or servers adds to them. The report is written at the end.
 *
 * Throws the reason of `signal` if that ended the run.
 *
 * @throws AfreshError `usage` for a folder with incompatible results; `server`
 * @throws RefusedError for a server that the guard refuses
 */
export async function bench(options: BenchOptions): Promise<Benched> {
  const { url, out, fresh } = options
  const file = resultsFile(out)
  const targets = options.servers.map((server) => targetOf(server, options.allow, options.set))
  const previous = fresh ? undefined : await earlierResults(file, options, url !== undefined)
  if (options.mustFit) refuseUnfit(targets, options)
  await makeOutFolder(out)
  const onBlock = (results: BenchResults) => replaceFile(out, file, `${JSON.stringify(results, null, 1)}\n`)
  const results =
    url === undefined
      ? await measureMatrix({ ...options, targets, previous, onBlock })
      : await benchUserSchema(url, { ...options, previous, onBlock })
  const report = await intoFolder(out, () => writeReport(results, out, options))
  return { results, files: { ...report, results: file } }
}

/** Refuses numbers of rows that do not fit in any of the cases, before a server is started. */
function refuseUnfit(targets: readonly Target[], { rows, cases }: BenchSettings): void {
  const wanted = CASES.filter(({ id }) => cases.includes(id))
  for (const target of targets) {
    for (const count of rows) {
      const reasons = wanted.map((one) => reasonNotToFit(one, count, target.room(one.storage)))
      const [reason] = reasons
      if (reason === undefined || reasons.includes(undefined)) continue
      const most = Math.max(...wanted.map((one) => mostRows(one, target.room(one.storage))))
      throw new AfreshError(
        'usage',
        `${count.toLocaleString('en-US')} rows cannot be measured on ${target.id}: ${reason}.`,
        { next: `Leave it out of --rows: up to ${most.toLocaleString('en-US')} rows fit.` },
      )
    }
  }
}
