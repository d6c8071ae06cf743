import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Results } from '../../claims/results.ts'
import { ratioAt } from '../read-results.ts'
import { item, paragraph, table } from './markdown.ts'

const SERVERS = ['postgres:18', 'mysql:9.7', 'mariadb:11.8', 'better-sqlite3']

/** Common claims, as `npm run bench:claims` answered them, and what the ratios here say of the one about speed. */
export function claimsText(): string {
  const file = join(import.meta.dirname, '../../claims/results.json')
  const { claims, servers } = JSON.parse(readFileSync(file, 'utf8')) as Results
  const shown = SERVERS.flatMap((id) => servers.find((server) => server.id === id) ?? [])
  const rows = claims.map(({ id, text }) => [
    text,
    ...shown.map(({ answers }) => answers[id]?.verdict ?? 'no TRUNCATE'),
  ])
  return [
    paragraph(
      '[Each claim](../benchmarks/claims/README.md) was put to the test by its statements; the answer is what happened there.',
    ),
    table(['claim', ...shown.map(({ id }) => id)], rows),
    '"TRUNCATE is always faster", by the ratios of this page (DELETE over TRUNCATE, processor time):',
    ['postgres:18', 'mysql:9.7', 'mariadb:11.8'].map(speedText).join('\n'),
  ].join('\n\n')
}

function speedText(image: string): string {
  const place = { experiment: 'main', case: 'base', server: { image } }
  const words = [100, 1000, 30_000].flatMap((rows) => {
    const found = ratioAt(place, rows, 'cpu')
    if (found === undefined) return []
    const two = (value: number) => Number(value.toPrecision(2)).toLocaleString('en-US')
    const verdict = found.low > 1 ? 'true' : found.high < 1 ? 'false' : 'too close to call'
    return [
      `${rows.toLocaleString('en-US')} rows ${two(found.ratio)} (${two(found.low)}–${two(found.high)}), ${verdict}`,
    ]
  })
  return item(`${image}: ${words.length === 0 ? 'not measured' : words.join('; ')}`)
}
