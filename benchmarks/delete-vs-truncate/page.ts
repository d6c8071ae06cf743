/**
 * Writes docs/delete-vs-truncate.md from the results: `npm run bench:readme`. No number in it is written by a
 * person, and a sentence that the results do not bear is left out.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { answerTable } from './page/answer.ts'
import { claimsText } from './page/claims.ts'
import { conditionsText } from './page/conditions.ts'
import { factorsText } from './page/factors.ts'
import { pictureText } from './page/picture.ts'
import { SOURCES } from './page/sources.ts'

const PAGE = join(import.meta.dirname, '../../docs/delete-vs-truncate.md')

export function pageText(): string {
  return `# DELETE or TRUNCATE

- [The answer](#the-answer)
- [What decides](#what-decides)
- [How it was measured](#how-it-was-measured)
- [What people say](#what-people-say)
- [What others measured](#what-others-measured)

## The answer

Rows **a table** from which TRUNCATE is faster than DELETE, with the 95 % interval. Below that, DELETE is.

${pictureText()}

${answerTable()}

DELETE costs per row. TRUNCATE costs per table: new files, and a search of the buffer pool for pages of the
old ones. So a test that wrote some rows to some tables is undone by DELETE, and a table with tens of
thousands of rows by TRUNCATE. In between, the server's settings decide: measure yours with [\`afresh bench\`](bench.md).
[\`strategy: 'auto'\`](configuration.md#strategy) does that for each table.

## What decides

${factorsText()}

## How it was measured

${conditionsText()}

## What people say

${claimsText()}

## What others measured

${SOURCES}
`
}

if (process.argv[1] === import.meta.filename) {
  const text = pageText()
  if (readFileSync(PAGE, { encoding: 'utf8', flag: 'a+' }) !== text) writeFileSync(PAGE, text)
}
