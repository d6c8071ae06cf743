import type { Crossover } from '../../../src/bench/crossover.ts'
import { about, whole } from '../../../src/bench/report/format.ts'
import { EXPERIMENTS, type ExperimentServer } from '../experiments.ts'
import { type Clock, crossingAt, resultsOf } from '../read-results.ts'
import { table } from './markdown.ts'

export const COLUMNS = [
  { image: 'postgres:18', title: 'PostgreSQL 18' },
  { image: 'mysql:9.7', title: 'MySQL 9.7' },
  { image: 'mariadb:11.8', title: 'MariaDB 11.8' },
]

export const ANSWER_ROWS = [
  {
    ...{ experiment: 'main', case: 'base', short: 'test server' },
    label: 'a test server: in memory, durability off, a pool of 128 MB',
  },
  { experiment: 'large-pool', case: 'base', short: 'pool of 4 GB', label: 'with a buffer pool of 4 GB' },
  {
    ...{ experiment: 'workers', case: 'workers=8', short: '8 workers' },
    label: '8 workers at once, each in its own database',
  },
  { experiment: 'durable', case: 'durable', short: 'durable', label: 'a durable server, on a disk' },
  {
    ...{ experiment: 'durable', case: 'durable-old', short: 'durable, old rows' },
    label: '… and the rows are older than a checkpoint',
  },
]

/** The table at the top of the page. */
export function answerTable(): string {
  const clocks: readonly (readonly [Clock, string])[] = [
    ['cpu', 'by the processor time of the server'],
    ['wall', 'by the clock'],
  ]
  const parts = clocks.map(([clock, words]) => {
    const rows = ANSWER_ROWS.flatMap(({ experiment, case: id, label }) => {
      if (resultsOf(experiment) === undefined) return []
      const cells = COLUMNS.map(({ image }) =>
        crossingText(crossingAt({ experiment, case: id, server: serverIn(experiment, image) }, clock)),
      )
      return cells.every((cell) => cell === '–') ? [] : [[label, ...cells]]
    })
    return `${words.charAt(0).toUpperCase()}${words.slice(1)}:\n\n${table(['', ...COLUMNS.map(({ title }) => title)], rows)}`
  })
  return parts.join('\n\n')
}

/** The server of an image in an experiment, with its settings. */
export function serverIn(experiment: string, image: string): ExperimentServer {
  const found = EXPERIMENTS.find(({ name }) => name === experiment)?.servers.find(
    (server) => server.image === image,
  )
  return found ?? { image }
}

/** `1,900 (1,600–2,300)`, `never, to 30,000`, `too close to call to 3,000`; `–` where nothing was measured. */
export function crossingText(crossover: Crossover | undefined): string {
  switch (crossover?.kind) {
    case undefined:
    case 'unknown':
      return '–'
    case 'equal':
      return `too close to call, ${whole(crossover.sizes.from)} to ${whole(crossover.sizes.to)}`
    case 'crosses':
      return crossover.above === 'truncate'
        ? `**${about(crossover.rows)}** (${about(crossover.range.from)}–${about(crossover.range.to)})`
        : `DELETE from ${about(crossover.rows)}`
    case 'always': {
      const { faster, certain, sizes } = crossover
      if (faster === 'truncate')
        return certain.from === sizes.from
          ? `any: TRUNCATE from ${whole(certain.from)}`
          : `TRUNCATE from ${whole(certain.from)}, below that too close to call`
      return certain.to === sizes.to
        ? `more than ${whole(sizes.to)}`
        : `more than ${whole(certain.to)}, above that too close to call`
    }
  }
}
