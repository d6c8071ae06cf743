/**
 * Tests common claims about DELETE and TRUNCATE on every server: `npm run bench:claims`. Options: see
 * `USAGE`.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machine } from '../../src/bench/machine.ts'
import { optionsOf } from '../options.ts'
import type { Claim } from './claim.ts'
import { CLAIMS } from './list/index.ts'
import { markdownOf } from './markdown.ts'
import type { Outcome, Results, ServerResults } from './results.ts'
import { ALL_TARGETS, answerOn, type ClaimTarget, openTarget } from './target.ts'

const USAGE = `npm run bench:claims -- [options]
  --servers LIST   default ${ALL_TARGETS.join(',')}
  --claims LIST    of ${CLAIMS.map(({ id }) => id).join(', ')}; default all
  --out FOLDER     for results.json and README.md; default benchmarks/claims, for all servers and claims only`

const values = optionsOf(USAGE, {
  servers: { type: 'string', default: ALL_TARGETS.join(',') },
  claims: { type: 'string', default: CLAIMS.map(({ id }) => id).join(',') },
  out: { type: 'string' },
})
const claims = values.claims.split(',').map(claimOf)
const servers = values.servers.split(',')
const out = values.out ?? folderOfAll()

const serverResults: ServerResults[] = []
for (const id of servers) {
  const target = await openTarget(id)
  try {
    console.log(`\n${target.title} (${target.version})`)
    const { title, version, engine } = target
    serverResults.push({ id, title, version, engine, answers: await answersOn(target) })
  } finally {
    await target.close()
  }
}
const results: Results = {
  format: 1,
  date: new Date().toISOString(),
  machine: machine(),
  claims: claims.map(({ id, text }) => ({ id, text })),
  servers: serverResults,
}
writeFileSync(join(out, 'results.json'), `${JSON.stringify(results, null, 1)}\n`)
writeFileSync(join(out, 'README.md'), markdownOf(results, claims))
if (serverResults.some(({ answers }) => Object.values(answers).some(({ verdict }) => verdict === 'failed'))) {
  process.exitCode = 1
}

async function answersOn(target: ClaimTarget): Promise<Record<string, Outcome>> {
  const answers: Record<string, Outcome> = {}
  for (const claim of claims) {
    const answer = await outcomeOn(target, claim)
    answers[claim.id] = answer
    console.log(`  ${answer.verdict.padEnd(11)} ${claim.text}\n              ${answer.evidence}`)
  }
  return answers
}

/** A failed experiment does not prevent the others. */
async function outcomeOn(target: ClaimTarget, claim: Claim): Promise<Outcome> {
  try {
    return await answerOn(target, claim)
  } catch (error) {
    return { verdict: 'failed', evidence: error instanceof Error ? error.message : String(error) }
  }
}

/** The committed results in this folder are complete, so partial results must not replace them. */
function folderOfAll(): string {
  const isAll = (given: readonly string[], all: readonly string[]) => all.every((id) => given.includes(id))
  const ids = claims.map(({ id }) => id)
  if (
    isAll(servers, ALL_TARGETS) &&
    isAll(
      ids,
      CLAIMS.map(({ id }) => id),
    )
  )
    return import.meta.dirname
  console.error(
    `--servers and --claims leave some out, and the results in ${import.meta.dirname} hold all: name another folder with --out\n\n${USAGE}`,
  )
  process.exit(2)
}

function claimOf(id: string): Claim {
  const claim = CLAIMS.find((known) => known.id === id)
  if (claim !== undefined) return claim
  console.error(`--claims: '${id}' is not a claim\n\n${USAGE}`)
  process.exit(2)
}
