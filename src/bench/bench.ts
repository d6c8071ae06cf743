import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MethodId } from '../engine/bench-dialect.ts'
import { measureMatrix } from './matrix.ts'
import { type ReportFiles, writeReport } from './report/index.ts'
import type { BenchResults } from './results.ts'
import { earlierResults } from './resume.ts'
import { targetOf } from './target.ts'
import { benchUserSchema } from './user-schema.ts'

export interface BenchOptions {
  /** Images, `embedded`, `sqlite`, or URLs of servers; none where somebody's own schema is measured. */
  readonly servers: readonly string[]
  /** The database with that schema: it is only read. */
  readonly url?: string | undefined
  /** Servers elsewhere that are there for tests only, as `host:port#system_identifier`. */
  readonly allow: readonly string[]
  readonly rows: readonly number[]
  readonly cases: readonly string[]
  readonly ways: readonly MethodId[]
  /** The most rounds of a cell, and the fewest. */
  readonly rounds: number
  readonly leastRounds: number
  /** What a way may take in a cell, making the rows included, and what it may take for once; in milliseconds. */
  readonly budgetMs: number
  readonly limitMs: number
  readonly seed: number
  /** The folder for results and report. */
  readonly out: string
  /** Measure everything anew, whatever the folder has. */
  readonly fresh: boolean
  /** Ends it before the next round; what was made on the server is dropped. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress: (line: string) => void
}

export interface Benched {
  readonly results: BenchResults
  readonly files: ReportFiles & { readonly results: string }
}

/** Where a run keeps what it has measured until now. */
export function resultsFile(folder: string): string {
  return join(folder, 'results.json')
}

/**
 * Measures what it takes to empty tables, and writes results and report. Results are written after each number of rows,
 * so a run that is cut off keeps what it has: the same call goes on from there, and one for more rows, cases or
 * servers adds to it. The report is written at the end.
 *
 * Throws the reason of `signal` where that ended it.
 *
 * @throws AfreshError `usage` for a folder with results that these cannot be joined to; `server`
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

/** Whoever reads it, or is cut off, finds the one or the other whole. */
async function replace(file: string, results: BenchResults): Promise<void> {
  const fresh = `${file}.new`
  await writeFile(fresh, `${JSON.stringify(results, null, 1)}\n`)
  await rename(fresh, file)
}
