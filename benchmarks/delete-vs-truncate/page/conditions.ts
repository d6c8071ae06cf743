import { oddityOf } from '../../../src/bench/distribution.ts'
import { whole } from '../../../src/bench/report/format.ts'
import type { BenchResults } from '../../../src/bench/results.ts'
import { EXPERIMENTS } from '../experiments.ts'
import { byClock, resultsOf } from '../read-results.ts'
import { item, paragraph } from './markdown.ts'

/** The conditions of the results, and how far they can be trusted. */
export function conditionsText(): string {
  const all = EXPERIMENTS.flatMap(({ name }) => {
    const results = resultsOf(name)
    return results === undefined ? [] : [{ name, results }]
  })
  const [first] = all
  if (first === undefined) return 'Nothing was measured.'
  const { machine, date } = first.results
  const missing = EXPERIMENTS.filter(({ name }) => !all.some((one) => one.name === name))
  return [
    paragraph(
      `${date.slice(0, 10)}, ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.os}, Node ${machine.node}. \`npm run bench:delete-vs-truncate\` measures the table at the top, \`-- --only all\` the rest; every sample is in [results](../benchmarks/delete-vs-truncate/results).`,
    ),
    [
      item(
        'One table with an auto-incrementing key, another index and a text of 25 letters, filled in the order of the key. A round creates the rows again, and empties the table in one statement.',
      ),
      item(
        'DELETE and TRUNCATE take turns, in a random order each time: at least 15 rounds of what takes less than a second, 5 of what takes longer, 3 from a minute on.',
      ),
      item(
        'Intervals are bootstrap intervals of the ratio of the medians, at 95 %. A crossing is where straight lines between the sizes meet on logarithmic axes; its interval is where that of the ratio contains 1.',
      ),
      item(noiseText(all.map(({ results }) => results))),
      ...(missing.length === 0
        ? []
        : [item(`Not measured for this page: ${missing.map(({ name }) => `\`${name}\``).join(', ')}.`)]),
    ].join('\n'),
    'The settings of the servers:',
    settingsOf(first.results),
  ].join('\n\n')
}

/** How much the time that passed was that of other programs. */
function noiseText(all: readonly BenchResults[]): string {
  const shares = all.flatMap((results) => {
    const cpu = new Map(byClock(results, 'cpu').map((cell) => [keyOf(cell), cell]))
    return results.cells.flatMap((cell) => {
      const used = cpu.get(keyOf(cell))
      return cell.outcome === 'measured' && used?.outcome === 'measured' && cell.median > 0
        ? [cell.median / Math.max(used.median, 1e-3)]
        : []
    })
  })
  const sorted = shares.toSorted((a, b) => a - b)
  const middle = sorted[sorted.length >> 1] ?? 1
  const measured = all.flatMap(({ cells }) => cells.filter(({ outcome }) => outcome === 'measured'))
  const odd = measured.filter((cell) => 'samples' in cell && oddityOf(cell.samples ?? []) !== undefined)
  const busy =
    middle > 1.5
      ? 'The machine was busy with other programs, so the clock says little and the processor time counts.'
      : ''
  return `Of ${whole(measured.length)} figures, ${whole(odd.length)} have two groups of times or stalls by the clock. In the middle of all, ${middle.toPrecision(2)} times as much time passed as the server used of its processors. ${busy}`.trim()
}

function keyOf(cell: { server: string; case: string; rows: number; method: string }): string {
  return [cell.server, cell.case, cell.rows, cell.method].join('|')
}

function settingsOf({ servers }: BenchResults): string {
  return servers
    .map(({ title, conditions }) => item(`**${title}**: ${Object.values(conditions).join('; ')}`))
    .join('\n')
}
