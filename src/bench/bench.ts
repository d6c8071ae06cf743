/**
 * In: engines, cases and numbers of rows.
 * Out: times of each method to empty tables, as results and a report.
 * Called by `cli/commands/bench.ts`.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BenchSettings, measureMatrix } from './matrix.ts'
import { type ReportFiles, writeReport } from './report/index.ts'
import type { BenchResults } from './results.ts'
import { earlierResults } from './resume.ts'
import { targetOf } from './target.ts'
import { benchUserSchema } from './user-schema.ts'

export interface BenchOptions extends BenchSettings {
  /** Images, `embedded`, `sqlite`, or server URLs; empty if `url` is set. */
  readonly servers: readonly string[]
  /** A database whose own tables are measured, in a copy. It is only read. */
  readonly url?: string | undefined
  /** Servers on other machines that exist for tests only, each as `host:port#system_identifier`. */
  readonly allow: readonly string[]
  /** The folder for results and report. */
  readonly out: string
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
  const targets = options.servers.map((server) => targetOf(server, options.allow))
  const previous = fresh ? undefined : await earlierResults(file, options, url !== undefined)
  await mkdir(out, { recursive: true })
  const onBlock = (results: BenchResults) => replace(file, results)
  const results =
    url === undefined
      ? await measureMatrix({ ...options, targets, previous, onBlock })
      : await benchUserSchema(url, { ...options, previous, onBlock })
  return { results, files: { ...(await writeReport(results, out)), results: file } }
}

/** Replaces the file atomically: readers and interrupted runs find a complete file. */
async function replace(file: string, results: BenchResults): Promise<void> {
  const fresh = `${file}.new`
  await writeFile(fresh, `${JSON.stringify(results, null, 1)}\n`)
  await rename(fresh, file)
}
