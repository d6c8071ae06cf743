import { AfreshError } from '../errors.ts'
import * as z from '../util/validation.ts'

/**
 * What `results.json` holds. Times are in milliseconds, sizes in bytes. Unknown figures are `null`: whatever an engine
 * cannot tell.
 */

const spread = {
  /** How many times. */
  n: z.int().check(z.positive()),
  median: z.number().check(z.nonnegative()),
  /** A quarter of the times is below `q1`, a quarter above `q3`. */
  q1: z.number().check(z.nonnegative()),
  q3: z.number().check(z.nonnegative()),
  min: z.number().check(z.nonnegative()),
  max: z.number().check(z.nonnegative()),
}

const figure = z.nullable(z.number())

const place = {
  /** The id of a server. */
  server: z.string(),
  /** `base`, or the id of a case in which one thing differs from it. */
  case: z.string(),
  rows: z.int().check(z.nonnegative()),
  way: z.string(),
}

const measured = z.object({
  ...place,
  outcome: z.literal('measured'),
  ...spread,
  /** Written to the WAL or redo log. */
  journalBytes: figure,
  /** Given back to the file system. */
  freedBytes: figure,
  /** What the files still take beyond those of new tables: bloat. */
  leftBytes: figure,
  /** The longest that somebody who reads one row had to wait. */
  readerWaitMs: figure,
  /** The first INSERT of one row afterwards. */
  nextInsertMs: figure,
})

const extrapolated = z.object({
  ...place,
  outcome: z.literal('extrapolated'),
  /** Not measured: what it would take if it went on as it began. */
  median: z.number().check(z.nonnegative()),
  /** From what: `3 % of the rows`, or `from 100,000 and 1,000,000 rows`. */
  basis: z.string(),
  /** It would have taken longer than this for once, in milliseconds. */
  limitMs: z.optional(z.number().check(z.positive())),
})

const untimed = z.object({
  ...place,
  outcome: z.enum(['failed', 'left out', 'not possible']),
  reason: z.string(),
})

const cell = z.discriminatedUnion('outcome', [measured, extrapolated, untimed])

const results = z.object({
  format: z.literal(1),
  /** When it began. */
  date: z.iso.datetime(),
  tookSeconds: z.number().check(z.nonnegative()),
  /** Cut off before its end: what is missing can be measured by the same command. */
  complete: z.boolean(),
  machine: z.object({
    cpu: z.string(),
    cores: z.number(),
    memoryGb: z.number(),
    os: z.string(),
    node: z.string(),
  }),
  settings: z.object({
    rows: z.array(z.int().check(z.nonnegative())),
    cases: z.array(z.string()),
    ways: z.array(z.string()),
    /** The most rounds of a cell, and the fewest. */
    rounds: z.int().check(z.positive()),
    leastRounds: z.int().check(z.positive()),
    /** What a way may take in a cell, making the rows included. */
    budgetMs: z.number().check(z.positive()),
    seed: z.int(),
  }),
  servers: z.array(
    z.object({
      id: z.string(),
      /** For people: `PostgreSQL 18.6 in a container (postgres:18)`. */
      title: z.string(),
      engine: z.string(),
      version: z.string(),
      /** Version and settings that decide what a write costs, in one line, by how it keeps its data. */
      conditions: z.record(z.string(), z.string()),
      /** By way: the locks that it takes on the table, by the server's own names. */
      locks: z.record(z.string(), z.array(z.string())),
    }),
  ),
  cases: z.array(z.object({ id: z.string(), factor: z.string(), label: z.string() })),
  ways: z.array(z.object({ id: z.string(), label: z.string(), note: z.string() })),
  cells: z.array(cell),
})

export type BenchResults = z.infer<typeof results>
export type ServerResults = BenchResults['servers'][number]
export type Cell = z.infer<typeof cell>
export type MeasuredCell = z.infer<typeof measured>
/** Where a figure belongs. */
export type CellKey = Pick<Cell, 'server' | 'case' | 'rows' | 'way'>

/**
 * @param text of a results.json
 * @param name of the file, for the error
 * @throws AfreshError `usage` where it is no such file
 */
export function parseResults(text: string, name: string): BenchResults {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (cause) {
    throw new AfreshError('usage', `${name} is not JSON.`, { next: NEXT, cause })
  }
  const parsed = results.safeParse(content)
  if (parsed.success) return parsed.data
  throw new AfreshError(
    'usage',
    `${name} holds no results of \`afresh bench\`:\n${z.prettifyError(parsed.error)}`,
    {
      next: NEXT,
    },
  )
}

const NEXT = 'Name a results.json that `afresh bench` wrote, or another folder for --out.'

/** The cell of this place; `undefined` where there is none. */
export function findCell({ cells }: Pick<BenchResults, 'cells'>, key: CellKey): Cell | undefined {
  return cells.find((candidate) => matchesKey(candidate, key))
}

export function matchesKey(cell: CellKey, key: CellKey): boolean {
  return (
    cell.server === key.server && cell.case === key.case && cell.rows === key.rows && cell.way === key.way
  )
}

/** What was there, but for what was measured anew, and that. */
export function joined(before: readonly Cell[] | undefined, now: readonly Cell[]): Cell[] {
  return [...(before ?? []).filter((old) => !now.some((cell) => matchesKey(cell, old))), ...now]
}

/** The median of a cell, where there is one: measured, or marked as extrapolated. */
export function medianOf(cell: Cell | undefined): number | undefined {
  return cell !== undefined && 'median' in cell ? cell.median : undefined
}
