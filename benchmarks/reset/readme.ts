/** Writes the table of ratios from results.json into README.md, between its two markers: `npm run bench:readme`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeBetween } from '../markers.ts'
import { optionsOf } from '../options.ts'
import type { Results } from './results.ts'
import { ratioTable } from './table.ts'

const { results, readme } = optionsOf('npm run bench:readme -- [--results FILE] [--readme FILE]', {
  results: { type: 'string', default: join(import.meta.dirname, 'results.json') },
  readme: { type: 'string', default: join(import.meta.dirname, '../../README.md') },
})

writeBetween(readme, 'bench:reset', ratioTable(JSON.parse(readFileSync(results, 'utf8')) as Results))
