/** Writes the tables from results.json into benchmarks/README.md, between its two markers: `npm run bench:readme`. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeBetween } from '../markers.ts'
import { optionsOf } from '../options.ts'
import type { Results } from './results.ts'
import { eraseTables } from './table.ts'

const { results, readme } = optionsOf('jiti benchmarks/erase/readme.ts [--results FILE] [--readme FILE]', {
  results: { type: 'string', default: join(import.meta.dirname, 'results.json') },
  readme: { type: 'string', default: join(import.meta.dirname, '../README.md') },
})

if (existsSync(results)) {
  writeBetween(readme, 'bench:erase', eraseTables(JSON.parse(readFileSync(results, 'utf8')) as Results))
}
