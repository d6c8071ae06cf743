import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bar } from '../../../src/bench/report/crossover-chart.ts'
import { THEMES } from '../../../src/bench/report/series-style.ts'
import { drawBars } from '../../../src/bench/report/svg.ts'
import { serverId } from '../experiments.ts'
import { byClock, crossingAt, resultsOf } from '../read-results.ts'
import { ANSWER_ROWS, COLUMNS, serverIn } from './answer.ts'

const FOLDER = join(import.meta.dirname, '..')

/** Draws the table at the top by processor time, for light and dark pages, and returns the Markdown that shows it. */
export function pictureText(): string {
  const bars = COLUMNS.flatMap(({ image, title }) =>
    ANSWER_ROWS.filter(({ experiment }) => experiment !== 'durable').flatMap(
      ({ experiment, case: id, short }): Bar[] => {
        const server = serverIn(experiment, image)
        const crossover = crossingAt({ experiment, case: id, server }, 'cpu')
        if (crossover === undefined) return []
        const of = { server: serverId(server), case: id, crossover, text: '' }
        return [{ name: `${title}, ${short}`, of }]
      },
    ),
  )
  const cells = [...new Set(ANSWER_ROWS.map(({ experiment }) => experiment))].flatMap((name) => {
    const results = resultsOf(name)
    return results === undefined ? [] : byClock(results, 'cpu')
  })
  const words = 'blue: DELETE is faster, orange: TRUNCATE, grey: the 95 % interval'
  for (const theme of ['light', 'dark'] as const)
    writeFileSync(join(FOLDER, `chart-${theme}.svg`), drawBars({ cells }, bars, words, THEMES[theme]))
  const folder = '../benchmarks/delete-vs-truncate'
  return [
    '<picture>',
    `  <source media="(prefers-color-scheme: dark)" srcset="${folder}/chart-dark.svg">`,
    '  <img alt="Rows a table from which TRUNCATE is faster, by server and setting"',
    `    src="${folder}/chart-light.svg">`,
    '</picture>',
  ].join('\n')
}
