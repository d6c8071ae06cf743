import { createHash } from 'node:crypto'
import type { BenchResults, ServerResults } from '../results.ts'
import { isOwnTable } from './base-case.ts'
import { BARS, barsOfCases, barsOfServers, hasCrossovers, inOrder } from './crossover-chart.ts'
import { asideFigures, caseName, conditionsOf, factorFigures, methodLabel, methodsFigure } from './figure.ts'
import { escapeHtml, listed, timeText, whole } from './format.ts'
import { type Recommendation, recommendationsOf, summaryOf } from './recommend.ts'
import { STYLESHEET } from './stylesheet.ts'
import { answersTable, figureTables, meaningTables } from './tables.ts'

/**
 * A self-contained page: no network access, no other file. All text is readable without the page's program,
 * which draws the charts.
 *
 * @param program the bundle of `client/main.ts`
 */
export function htmlOf(results: BenchResults, program: string): string {
  // Both mean the same in strings and comments, the only places where `</script` can occur in a program.
  const script = program.replaceAll('</script', '<\\/script')
  const hash = createHash('sha256').update(script).digest('base64')
  // If a name ever escaped its quotes, the browser would still run only this program.
  const policy = `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; img-src data:`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>DELETE against TRUNCATE: ${escapeHtml(listed(results.servers.map(({ title }) => title)))}</title>
<link rel="icon" href="data:,">
<style>${STYLESHEET}</style>
</head>
<body>
<header>
<div>
<h1>DELETE against TRUNCATE</h1>
<p class="muted">${escapeHtml(whereAndWhen(results))}</p>
</div>
<div class="tools">
<button type="button" id="theme" aria-pressed="false" hidden>Dark mode</button>
<button type="button" id="csv" hidden>Download CSV</button>
</div>
</header>
<main>
${summary(results)}
${results.servers.map((server, index) => serverSection(results, server, index)).join('\n')}
${howMeasured(results)}
</main>
<footer>
<p>Made by <code>afresh bench</code>. Charts: Apache ECharts, Apache License 2.0; its notice is in this page's program.</p>
</footer>
<script type="application/json" id="results">${jsonOf(results)}</script>
<script>${script}</script>
</body>
</html>
`
}

/** JSON for a script element: it contains nothing that ends the element or starts a comment. */
function jsonOf(results: BenchResults): string {
  return JSON.stringify(results).replaceAll(
    /[<\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function whereAndWhen({ machine, date, complete }: BenchResults): string {
  const part = complete ? '' : ' · cut off before its end'
  return `${date.slice(0, 10)} · ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB · ${machine.os} · Node ${machine.node}${part}`
}

function summary(results: BenchResults): string {
  const answers = summaryOf(results).map(
    ({ title, text }, index) =>
      `<li><a href="#server-${index}">${escapeHtml(title)}</a>: ${escapeHtml(text)}`,
  )
  const chart = hasCrossovers(barsOfServers(results))
    ? `<p class="muted">The base case; ${BARS}.</p><div data-figures="servers"></div>\n`
    : ''
  return `<section aria-labelledby="short">
<h2 id="short">In short</h2>
<ul class="answers">${answers.join('')}</ul>
${chart}<noscript><p>The charts need JavaScript. Every figure is in the tables below.</p></noscript>
</section>`
}

function serverSection(results: BenchResults, server: ServerResults, index: number): string {
  const all = recommendationsOf(results, server.id)
  const first = all[0]
  const id = `server-${index}`
  return `<section id="${id}" aria-labelledby="${id}-title" data-server="${index}">
<h2 id="${id}-title">${escapeHtml(server.title)}</h2>
${first === undefined ? '<p>Nothing was measured.</p>' : charts(results, server.id, all, first, id)}
<h3>Measurement conditions</h3>
<dl>${Object.entries(server.conditions)
    .map(([name, text]) => `<dt>${escapeHtml(name)}<dd>${escapeHtml(text)}`)
    .join('')}</dl>
<h3>Every figure</h3>
${figureTables(results, server)}
${locks(results, server)}
</section>`
}

function charts(
  results: BenchResults,
  server: string,
  all: readonly Recommendation[],
  first: Recommendation,
  id: string,
): string {
  // By index, because an id may contain characters that HTML cannot represent.
  const options = all.map(
    (recommendation, number) =>
      `<option value="${number}">${escapeHtml(caseName(results, recommendation.case))}`,
  )
  const isOwn = results.cases.some(isOwnTable)
  const pick =
    all.length < 2
      ? ''
      : `<div class="pick" hidden><label for="${id}-case">${isOwn ? 'Table' : 'Case'}</label><select id="${id}-case">${options.join('')}</select></div>`
  const block = (title: string, caption: string, figures: string, more = '') =>
    `<h3>${title}</h3>\n<p class="muted">${caption}</p>\n${more}<div data-figures="${figures}"></div>`
  return [
    block(
      'By the number of rows',
      'Median and quartiles of the time; both axes are logarithmic. Hollow and dotted: extrapolated.',
      'rivals',
      `${pick}<p class="verdict" aria-live="polite">${escapeHtml(first.text)}</p><p class="muted" data-conditions>${escapeHtml(conditionsOf(results, server, first.case))}</p>`,
    ),
    !hasCrossovers(barsOfCases(results, all))
      ? ''
      : `${block(isOwn ? 'Table by table' : 'Case by case', `Crossover points: ${BARS}.`, 'crossings')}<details><summary>In words</summary>${answersTable(results, inOrder(results, all))}</details>`,
    methodsFigure(results, server, first.case) === undefined
      ? ''
      : block('Every method to empty a table', 'The base case. Select methods with the buttons.', 'methods'),
    factorFigures(results, server).length === 0
      ? ''
      : block('One thing changed', 'Each against the base case: DELETE solid, TRUNCATE dashed.', 'factors'),
    all.every((recommendation) => asideFigures(results, server, recommendation.case).length === 0)
      ? ''
      : block('Other costs measured', 'As far as the server reports them, in the selected case.', 'asides'),
  ].join('\n')
}

function locks(results: BenchResults, { locks }: ServerResults): string {
  const items = Object.entries(locks).map(
    ([method, names]) =>
      `<dt>${escapeHtml(methodLabel(results, method))}<dd>${escapeHtml(names.join(', ') || 'none')}`,
  )
  return items.length === 0 ? '' : `<h3>Locks on a table</h3>\n<dl>${items.join('')}</dl>`
}

function howMeasured(results: BenchResults): string {
  const { settings, tookSeconds, complete } = results
  const facts: readonly (readonly [string, string])[] = [
    [
      'Rounds',
      `at most ${settings.rounds} per figure, at least ${settings.leastRounds} of what takes less than a second, a third of that for what takes longer, a fifth from a minute on; interleaved, each round in another order`,
    ],
    ['Budget', `${timeText(settings.budgetMs)} per figure, including the creation of rows`],
    ['Took', timeText(tookSeconds * 1000) + (complete ? '' : '; cut off before its end')],
    ['Seed', whole(settings.seed)],
  ]
  return `<section aria-labelledby="method">
<h2 id="method">How it was measured</h2>
<dl>${facts.map(([name, text]) => `<dt>${name}<dd>${escapeHtml(text)}`).join('')}</dl>
${meaningTables(results)}
</section>`
}
