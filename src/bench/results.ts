import { AfreshError } from '../errors.ts'
import * as z from '../util/validation.ts'

/** The contents of `results.json`. Times are in milliseconds, sizes in bytes; unknown figures are `null`. */

const spread = {
  /** Number of samples. */
  n: z.int().check(z.positive()),
  median: z.number().check(z.nonnegative()),
  /** First quartile; `q3` is the third. */
  q1: z.number().check(z.nonnegative()),
  q3: z.number().check(z.nonnegative()),
  min: z.number().check(z.nonnegative()),
  max: z.number().check(z.nonnegative()),
}

const figure = z.nullable(z.number())

const cellKey = {
  /** The server's id. */
  server: z.string(),
  /** `base`, or the id of a case in which one thing differs from it. */
  case: z.string(),
  rows: z.int().check(z.nonnegative()),
  method: z.string(),
}

const measured = z.object({
  ...cellKey,
  outcome: z.literal('measured'),
  ...spread,
  /** Written to the WAL or redo log. */
  journalBytes: figure,
  /** Returned to the file system. */
  freedBytes: figure,
  /** Size of the files beyond that of new tables: bloat. */
  leftBytes: figure,
  /** The longest time that a client waited to read one row. */
  readerWaitMs: figure,
  /** Duration of the first INSERT of one row afterwards. */
  nextInsertMs: figure,
  /** Every time, in the order of measurement. Runs before version 0.2 kept none. */
  samples: z.optional(z.array(z.number().check(z.nonnegative()))),
  /** Processor time of the server, where it can be read: the median in milliseconds. */
  cpuMs: z.optional(z.number().check(z.nonnegative())),
  /** The processor times of the rounds in `samples`. */
  cpuSamples: z.optional(z.array(z.number().check(z.nonnegative()))),
  /** What a client that read one row again and again had to wait, over all reads of several rounds. */
  reader: z.optional(
    z.object({
      reads: z.int().check(z.positive()),
      p50: z.number().check(z.nonnegative()),
      p99: z.number().check(z.nonnegative()),
      max: z.number().check(z.nonnegative()),
    }),
  ),
})

const extrapolated = z.object({
  ...cellKey,
  outcome: z.literal('extrapolated'),
  /** Extrapolated, not measured. */
  median: z.number().check(z.nonnegative()),
  /** What it is based on: `from 3 % of the rows`, or `from 100,000 and 1,000,000 rows`. */
  basis: z.string(),
  /** The limit for a single run, in milliseconds, which it would have exceeded. */
  limitMs: z.optional(z.number().check(z.positive())),
})

const untimed = z.object({
  ...cellKey,
  outcome: z.enum(['failed', 'left out', 'not possible']),
  reason: z.string(),
})

const cell = z.discriminatedUnion('outcome', [measured, extrapolated, untimed])

const results = z.object({
  format: z.literal(1),
  /** When the first run started. */
  date: z.iso.datetime(),
  tookSeconds: z.number().check(z.nonnegative()),
  /** `false` if the run was interrupted. The same command measures the rest. */
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
    methods: z.array(z.string()),
    /** Maximum number of rounds per cell, and the minimum where one takes less than a second. */
    rounds: z.int().check(z.positive()),
    leastRounds: z.int().check(z.positive()),
    /** Milliseconds that a method may take per cell, including making the rows. */
    budgetMs: z.number().check(z.positive()),
    seed: z.int(),
  }),
  servers: z.array(
    z.object({
      id: z.string(),
      /** For display: `PostgreSQL 18.6 in a container (postgres:18)`. */
      title: z.string(),
      engine: z.string(),
      version: z.string(),
      /** Version and settings that determine the cost of writes, in one line, by storage. */
      conditions: z.record(z.string(), z.string()),
      /** By storage: each setting that moves a figure, with the server's name for it. */
      settings: z.optional(z.record(z.string(), z.record(z.string(), z.string()))),
      /** By method: the locks that it takes on the table, with the server's names. */
      locks: z.record(z.string(), z.array(z.string())),
    }),
  ),
  cases: z.array(
    z.object({
      id: z.string(),
      factor: z.string(),
      label: z.string(),
      /** The storage whose conditions hold; that of the base case if absent. */
      storage: z.optional(z.string()),
      /** What `rows` counts: the rows of each table, of which a case may have many. */
      tables: z.optional(z.int().check(z.positive())),
    }),
  ),
  methods: z.array(z.object({ id: z.string(), label: z.string(), note: z.string() })),
  cells: z.array(cell),
})

export type BenchResults = z.infer<typeof results>
export type ServerResults = BenchResults['servers'][number]
export type Cell = z.infer<typeof cell>
export type MeasuredCell = z.infer<typeof measured>
/** Identifies a cell. */
export type CellKey = Pick<Cell, 'server' | 'case' | 'rows' | 'method'>

/**
 * @param text of a results.json
 * @param name of the file, for the error
 * @throws AfreshError `usage` if the text is invalid
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

/** The cell with this key, if any. */
export function findCell({ cells }: Pick<BenchResults, 'cells'>, key: CellKey): Cell | undefined {
  return cells.find((candidate) => matchesKey(candidate, key))
}

export function matchesKey(cell: CellKey, key: CellKey): boolean {
  return (
    cell.server === key.server &&
    cell.case === key.case &&
    cell.rows === key.rows &&
    cell.method === key.method
  )
}

/** Merges new cells into earlier ones. Cells with the same key are replaced. */
export function joined(before: readonly Cell[] | undefined, now: readonly Cell[]): Cell[] {
  return [...(before ?? []).filter((old) => !now.some((cell) => matchesKey(cell, old))), ...now]
}

/** The median of a measured or extrapolated cell. */
export function medianOf(cell: Cell | undefined): number | undefined {
  return cell !== undefined && 'median' in cell ? cell.median : undefined
}
