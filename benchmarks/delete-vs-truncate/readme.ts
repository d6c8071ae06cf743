/** Writes the table and the sentences from results.json into docs/performance.md: `npm run bench:readme`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseResults } from '../../src/bench/results.ts'
import { writeBetween } from '../markers.ts'
import { comparisonTable } from './table.ts'

const file = join(import.meta.dirname, 'results.json')
const results = parseResults(readFileSync(file, 'utf8'), file)
writeBetween(
  join(import.meta.dirname, '../../docs/performance.md'),
  'bench:delete-vs-truncate',
  comparisonTable(results),
)
