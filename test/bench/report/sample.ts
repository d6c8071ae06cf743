import { CASES } from '../../../src/bench/cases.ts'
import { METHODS } from '../../../src/bench/methods.ts'
import type { BenchResults, Cell, CellKey, ServerResults } from '../../../src/bench/results.ts'
import { type Random, randomFrom } from '../../../src/generate/random.ts'

const ROWS = [0, 1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000]

/** Names that a page must show as plain text. */
export const HOSTILE: readonly string[] = [
  `</script><script>document.title='owned'</script>`,
  `<img src=x onerror="document.title='owned'">`,
  `"quoted' & \`ticked\``,
  'two\nlines\u0007 and \u202eright to left',
  '=HYPERLINK("http://example.invalid","click")',
  'x'.repeat(200),
]

/** Milliseconds: a fixed part, and a part per row. */
interface Cost {
  readonly fixed: number
  readonly perRow: number
}

type Costs = Readonly<Record<'delete' | 'truncate', Cost>>
type Measure = (rows: number) => number

function measuresOf({ delete: del, truncate }: Costs): Readonly<Record<string, Measure>> {
  const timeOf =
    ({ fixed, perRow }: Cost, more = 1): Measure =>
    (rows) =>
      fixed + perRow * rows * more
  return {
    delete: timeOf(del),
    'delete-restart': timeOf({ ...del, fixed: del.fixed * 1.6 }),
    truncate: timeOf(truncate),
    'truncate-restart': timeOf({ ...truncate, fixed: truncate.fixed * 1.3 }),
    'truncate-cascade': timeOf({ ...truncate, fixed: truncate.fixed * 1.1 }),
    'batch-100': (rows) => del.fixed * Math.max(1, rows / 100) + del.perRow * rows,
    'batch-1000': (rows) => del.fixed * Math.max(1, rows / 1000) + del.perRow * rows,
    'batch-10000': (rows) => del.fixed * Math.max(1, rows / 10_000) + del.perRow * rows,
    'orm-100': (rows) => 3 * del.fixed * Math.max(1, rows / 100) + 2 * del.perRow * rows,
    'drop-create': timeOf({ ...truncate, fixed: truncate.fixed * 2.2 }),
    swap: timeOf({ ...truncate, fixed: truncate.fixed * 2.9 }),
    clone: timeOf({ fixed: truncate.fixed * 14, perRow: truncate.perRow }),
  }
}

const SERVERS: readonly (ServerResults & { readonly costs: Costs })[] = [
  {
    id: 'postgres:18',
    title: 'PostgreSQL 18.6 in a container (postgres:18)',
    engine: 'postgres',
    version: '18.6',
    conditions: {
      memory: '18.6, fsync=off, synchronous_commit=off, full_page_writes=off, files in memory',
      durable: '18.6, fsync=on, synchronous_commit=on, files on a disk',
    },
    locks: { delete: ['RowExclusiveLock'], truncate: ['AccessExclusiveLock'] },
    costs: { delete: { fixed: 0.12, perRow: 0.00042 }, truncate: { fixed: 0.75, perRow: 2e-8 } },
  },
  {
    id: 'mysql:9.7',
    title: 'MySQL 9.7.0 in a container (mysql:9.7)',
    engine: 'mysql',
    version: '9.7.0',
    conditions: { memory: '9.7.0, innodb_flush_log_at_trx_commit=0, sync_binlog=0, files in memory' },
    locks: { delete: ['TABLE IX', 'RECORD X'], truncate: ['METADATA EXCLUSIVE'] },
    costs: { delete: { fixed: 0.2, perRow: 0.0031 }, truncate: { fixed: 9.2, perRow: 1e-6 } },
  },
]

/** Results as of a small `afresh bench` run: some cells extrapolated, some without a time. */
export function sampleResults(): BenchResults {
  const random = randomFrom(7)
  const cells = SERVERS.flatMap((server) =>
    CASES.flatMap((benchCase) =>
      METHODS.filter(({ everywhere }) => everywhere || benchCase.id === 'base').flatMap(({ id: method }) => {
        const factor = { delete: 1, truncate: 1, ...CASE_COSTS[benchCase.id] }
        const measure = measuresOf({
          delete: { fixed: server.costs.delete.fixed, perRow: server.costs.delete.perRow * factor.delete },
          truncate: { ...server.costs.truncate, fixed: server.costs.truncate.fixed * factor.truncate },
        })[method]
        if (measure === undefined) return []
        const rows =
          benchCase.id === 'base' ? ROWS : ROWS.filter((count) => [0, 100, 10_000, 1_000_000].includes(count))
        return rows.map((count) =>
          cellOf({ server: server.id, case: benchCase.id, rows: count, method }, measure, random),
        )
      }),
    ),
  )
  return {
    ...frame(ROWS),
    cases: CASES.map(({ id, factor, label }) => ({ id, factor, label })),
    servers: SERVERS.map(({ costs: _, ...server }) => server),
    cells,
  }
}

const CASE_COSTS: Readonly<Record<string, { delete?: number; truncate?: number }>> = {
  'indexes=0': { delete: 0.8, truncate: 0.7 },
  'indexes=5': { delete: 1.3, truncate: 2.1 },
  'width=1kB': { delete: 2.5 },
  'width=off-page': { delete: 9, truncate: 1.4 },
  'incoming=indexed': { delete: 7, truncate: 2 },
  'incoming=unindexed': { delete: 90, truncate: 2 },
  children: { delete: 11, truncate: 2 },
  trigger: { delete: 3 },
  'partitions=10': { truncate: 7 },
  'tables=10': { truncate: 8 },
  'tables=100': { truncate: 70 },
  durable: { delete: 1.5, truncate: 6 },
}

/** Results as of `afresh bench --url` over a user schema. */
export function ownSchemaResults(tables: number): BenchResults {
  const random = randomFrom(11)
  const rows = [0, 10, 1000, 100_000]
  const names = Array.from({ length: tables }, (_, index) => HOSTILE[index] ?? `public.table_${index + 1}`)
  const [server] = SERVERS
  if (server === undefined) throw new Error('no server')
  const cells = names.flatMap((_, table) => {
    const measure = measuresOf({
      delete: { ...server.costs.delete, perRow: server.costs.delete.perRow * random.int(1, 40) },
      truncate: { ...server.costs.truncate, fixed: server.costs.truncate.fixed * random.int(1, 12) },
    })
    return (['delete', 'truncate'] as const).flatMap((method) =>
      rows.flatMap((count) => {
        const time = measure[method]
        return time === undefined
          ? []
          : [cellOf({ server: server.id, case: `table=${names[table]}`, rows: count, method }, time, random)]
      }),
    )
  })
  const { costs: _, ...rest } = server
  return {
    ...frame(rows),
    cases: names.map((name) => ({ id: `table=${name}`, factor: 'table', label: name })),
    servers: [rest],
    cells,
  }
}

function frame(rows: readonly number[]) {
  return {
    format: 1 as const,
    date: '2026-11-25T18:30:00.000Z',
    tookSeconds: 1324,
    complete: false,
    machine: { cpu: 'AMD EPYC', cores: 2, memoryGb: 8, os: 'Linux 6.1.0', node: '20.20.2' },
    settings: {
      rows: [...rows],
      cases: CASES.map(({ id }) => id),
      methods: METHODS.map(({ id }) => id),
      rounds: 30,
      leastRounds: 3,
      budgetMs: 20_000,
      seed: 1,
    },
    methods: METHODS.map(({ id, label, note }) => ({ id, label, note })),
  }
}

function cellOf(cellKey: CellKey, measure: Measure, random: Random): Cell {
  const time = measure(cellKey.rows)
  if (cellKey.server === 'mysql:9.7' && cellKey.method === 'truncate-cascade')
    return { ...cellKey, outcome: 'not possible', reason: 'MySQL has no TRUNCATE … CASCADE' }
  if (cellKey.method === 'clone' && cellKey.rows === 1_000_000)
    return {
      ...cellKey,
      outcome: 'failed',
      reason: 'ERROR: source database "template" is being accessed by <other> users',
    }
  if (time > 60_000)
    return { ...cellKey, outcome: 'left out', reason: `would take ${Math.round(time / 60_000)} minutes` }
  const around = (low: number, high: number) => (time * random.int(low, high)) / 1000
  if (time > 4000)
    return { ...cellKey, outcome: 'extrapolated', median: around(950, 1100), basis: '3 % of the rows' }
  const n = time > 1000 ? 3 : 30
  const median = around(970, 1050)
  const isTruncate = cellKey.method.startsWith('truncate')
  return {
    ...cellKey,
    outcome: 'measured',
    n,
    median,
    q1: median * (random.int(850, 960) / 1000),
    q3: median * (random.int(1050, 1250) / 1000),
    min: median * 0.8,
    max: median * 1.9,
    journalBytes: cellKey.server === 'mysql:9.7' ? null : isTruncate ? 8192 : 300 + 61 * cellKey.rows,
    freedBytes: isTruncate ? 72 * cellKey.rows : 0,
    leftBytes: isTruncate ? 0 : 72 * cellKey.rows,
    readerWaitMs: cellKey.rows > 0 ? time * (isTruncate ? 1 : 0.02) : null,
    nextInsertMs: isTruncate ? 0.4 : 0.1,
  }
}
