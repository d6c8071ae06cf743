import { crossoverOf } from '../../../src/bench/crossover.ts'
import { bytesText, timeText, whole } from '../../../src/bench/report/format.ts'
import { type BenchResults, findCell } from '../../../src/bench/results.ts'
import { byClock, type Ratio, ratioAt, resultsOf } from '../read-results.ts'
import { crossingText } from './answer.ts'
import { paragraph, table } from './markdown.ts'

const PRODUCTS: Readonly<Record<string, string>> = {
  'postgres:18': 'PostgreSQL 18',
  'mysql:9.7': 'MySQL 9.7',
  'mariadb:11.8': 'MariaDB 11.8',
}

/** One section per factor that was measured. All times are processor times of the server. */
export function factorsText(): string {
  const parts = [sharedBuffers(), changeBuffering(), durable(), workers(), manyTables(), others()]
  return [
    paragraph(
      'Times here are processor times of the server, medians: other load on the machine hardly changes them. DELETE / TRUNCATE, and their ratio with its 95 % interval: above 1, TRUNCATE is faster.',
    ),
    ...parts.filter((part) => part !== undefined),
  ].join('\n\n')
}

/** `0.6 / 2.1 ms, 0.29 (0.25–0.33)` */
function pairText(ratio: Ratio | undefined): string {
  if (ratio === undefined) return '–'
  const two = (value: number) => Number(value.toPrecision(2)).toLocaleString('en-US')
  return `${timeText(ratio.deleteMs)} / ${timeText(ratio.truncateMs)}, ${two(ratio.ratio)} (${two(ratio.low)}–${two(ratio.high)})`
}

function nameOf(id: string): string {
  const [image = '', ...settings] = id.split(' ')
  return [PRODUCTS[image] ?? image, ...settings.map((setting) => `\`${setting}\``)].join(', ')
}

/** Servers of an experiment against sizes, for one case. */
function ratios(results: BenchResults, name: string, caseId: string): string {
  const sizes = results.settings.rows.filter((rows) =>
    results.cells.some((cell) => cell.rows === rows && cell.case === caseId && cell.outcome === 'measured'),
  )
  const rows = results.servers.map(({ id }) => {
    const server = { image: id }
    const crossover = crossoverOf(byClock(results, 'cpu'), { server: id, case: caseId })
    return [
      nameOf(id),
      ...sizes.map((size) => pairText(ratioAt({ experiment: name, case: caseId, server }, size, 'cpu'))),
      crossingText(crossover),
    ]
  })
  return table(['', ...sizes.map((size) => `${whole(size)} rows`), 'TRUNCATE faster from'], rows)
}

function sharedBuffers(): string | undefined {
  const results = resultsOf('shared-buffers')
  if (results === undefined) return undefined
  const at = (value: string) => {
    const server = { image: `postgres:18 shared_buffers=${value}` }
    return ratioAt({ experiment: 'shared-buffers', case: 'base', server }, 1000, 'cpu')
  }
  const [small, large] = [at('128MB'), at('4GB')]
  const isDearer =
    small !== undefined && large !== undefined && large.truncateMs > 1.5 * small.truncateMs
      ? `TRUNCATE of 1,000 rows takes ${timeText(small.truncateMs)} with 128 MB and ${timeText(large.truncateMs)} with 4 GB; DELETE takes ${timeText(small.deleteMs)} and ${timeText(large.deleteMs)}.`
      : ''
  return `### PostgreSQL: \`shared_buffers\`

${paragraph(`TRUNCATE searches all of \`shared_buffers\` for pages of the files that it replaces (\`DropRelationsAllBuffers\` in bufmgr.c), whatever is in them; DELETE does not. ${isDearer}`.trim())}

${ratios(results, 'shared-buffers', 'base')}`
}

function changeBuffering(): string | undefined {
  const results = resultsOf('change-buffering')
  if (results === undefined) return undefined
  const most = Math.max(
    ...results.cells.filter(({ outcome }) => outcome === 'measured').map(({ rows }) => rows),
  )
  const at = (buffering: string, pool: string) => {
    const id = `mysql:9.7 innodb_change_buffering=${buffering} innodb_buffer_pool_size=${pool}`
    return ratioAt({ experiment: 'change-buffering', case: 'base', server: { image: id } }, most, 'cpu')
  }
  const [all, none, large] = [at('all', '128M'), at('none', '128M'), at('all', '1G')]
  const withLarge =
    large === undefined ? '' : `, and ${timeText(large.deleteMs)} with it on and a pool of 1 GB`
  const says =
    all === undefined || none === undefined
      ? ''
      : all.deleteMs > 1.5 * none.deleteMs
        ? `DELETE of ${whole(most)} rows takes ${timeText(all.deleteMs)} with the change buffer on and a pool of 128 MB, ${timeText(none.deleteMs)} with it off${withLarge}. So a slow DELETE there is a setting, not a property of MySQL.`
        : `At ${whole(most)} rows it made no such difference here: ${timeText(all.deleteMs)} with the change buffer on and a pool of 128 MB, ${timeText(none.deleteMs)} with it off${withLarge}.`
  return `### MySQL: the change buffer, where the table does not fit into the pool

${paragraph(`With \`innodb_change_buffering=all\`, InnoDB notes changes of pages of secondary indexes that are not in the pool, and merges them later. ${says}`.trim())}

${ratios(results, 'change-buffering', 'base')}`
}

function durable(): string | undefined {
  const results = resultsOf('durable')
  if (results === undefined) return undefined
  const journal = (id: string, rows: number) => {
    const cell = findCell(results, { server: 'postgres:18', case: id, rows, method: 'delete' })
    return cell?.outcome === 'measured' ? cell.journalBytes : null
  }
  const rows = Math.max(
    0,
    ...results.cells.filter(({ case: id }) => id === 'durable-old').map((cell) => cell.rows),
  )
  const [young, old] = [journal('durable', rows), journal('durable-old', rows)]
  const says =
    young === null || old === null || old < 1.2 * young
      ? ''
      : `DELETE of ${whole(rows)} rows writes ${bytesText(young)} of WAL if they are younger than the last checkpoint and ${bytesText(old)} if they are older, as rows of a fixture are: the first change of a page after a checkpoint writes all of it.`
  return `### Durability

${paragraph(`Waiting for a disk takes no processor time, so the times here are those of the clock, and other load on the machine is in them. ${says}`.trim())}

${wallTable(results, 'durable', 'durable')}`
}

function wallTable(results: BenchResults, name: string, caseId: string): string {
  const sizes = results.settings.rows
  const rows = results.servers.map(({ id }) => [
    nameOf(id),
    ...sizes.map((size) =>
      pairText(ratioAt({ experiment: name, case: caseId, server: { image: id } }, size, 'wall')),
    ),
  ])
  return table(['', ...sizes.map((size) => `${whole(size)} rows`)], rows)
}

function workers(): string | undefined {
  const results = resultsOf('workers')
  if (results === undefined) return undefined
  return `### Workers

${paragraph('8 databases, each with such a table, emptied at the same time over 8 connections: until the last one is empty.')}

${ratios(results, 'workers', 'workers=8')}`
}

function manyTables(): string | undefined {
  const results = resultsOf('tables')
  if (results === undefined) return undefined
  const parts = results.cases.map(
    ({ id, tables = 1 }) => `${whole(tables)} tables:\n\n${ratios(results, 'tables', id)}`,
  )
  return `### Many tables

${paragraph('All of them in one round trip, each with so many rows.')}

${parts.join('\n\n')}`
}

const OTHERS = [
  ['indexes', 'Indexes'],
  ['foreign-keys', 'Foreign keys, checks on'],
  ['bloat', 'The next cycle'],
  ['binary-log', 'The binary log'],
  ['shapes', 'Width, partitions, triggers, readers'],
  ['many-workers', '32 workers'],
] as const

/** The crossing of each remaining case. */
function others(): string | undefined {
  const parts = OTHERS.flatMap(([name, title]) => {
    const results = resultsOf(name)
    if (results === undefined) return []
    const cells = byClock(results, 'cpu')
    const rows = results.cases.map(({ id, label }) => [
      label,
      ...results.servers.map((server) => crossingText(crossoverOf(cells, { server: server.id, case: id }))),
    ])
    return [
      `### ${title}\n\n${table(['TRUNCATE faster from', ...results.servers.map(({ id }) => nameOf(id))], rows)}`,
    ]
  })
  return parts.length === 0 ? undefined : parts.join('\n\n')
}
