/** Writes the table of ratios from results.json into README.md, between its two markers: `npm run bench:readme`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { optionsOf } from '../options.ts'
import type { Results } from './results.ts'
import { ratioTable } from './table.ts'

const BEGIN = '<!-- bench:reset -->'
const END = '<!-- /bench:reset -->'

const { results, readme } = optionsOf('npm run bench:readme -- [--results FILE] [--readme FILE]', {
  results: { type: 'string', default: join(import.meta.dirname, 'results.json') },
  readme: { type: 'string', default: join(import.meta.dirname, '../../README.md') },
})

const text = readFileSync(readme, 'utf8')
const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)]
if (from < 0 || to < from) {
  console.error(`${readme} has no ${BEGIN} … ${END} to write between`)
  process.exit(1)
}
const table = ratioTable(JSON.parse(readFileSync(results, 'utf8')) as Results)
writeFileSync(readme, `${text.slice(0, from + BEGIN.length)}\n\n${table}\n\n${text.slice(to)}`)
