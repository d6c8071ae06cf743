/** Writes the tables of ratios from results.json into docs/performance.md, between two markers: `npm run bench:readme`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeBetween } from '../markers.ts'
import { optionsOf } from '../options.ts'
import type { Results } from './results.ts'
import { ratioTable } from './table.ts'

const options = optionsOf('npm run bench:readme -- [--results FILE] [--page FILE]', {
  results: { type: 'string', default: join(import.meta.dirname, 'results.json') },
  page: { type: 'string', default: join(import.meta.dirname, '../../docs/performance.md') },
})

const results = JSON.parse(readFileSync(options.results, 'utf8')) as Results
writeBetween(options.page, 'bench:reset', ratioTable(results))
