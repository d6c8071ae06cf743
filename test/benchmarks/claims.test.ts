import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Claim, Verdict } from '../../benchmarks/claims/claim.ts'
import { type ClaimContext, openOnServer, openOnSqlite } from '../../benchmarks/claims/claim-context.ts'
import { CLAIMS } from '../../benchmarks/claims/list/index.ts'
import { refusal } from '../../benchmarks/claims/queries.ts'
import type { Results } from '../../benchmarks/claims/results.ts'
import { answerOn } from '../../benchmarks/claims/target.ts'
import type { Client } from '../../benchmarks/client.ts'
import { describeOn, type ServerId } from '../support/servers.ts'

/** The verdicts that the manuals support, for claims that do not depend on timing. */
const MANUALS: Readonly<Record<string, Readonly<Record<string, [Verdict, RegExp]>>>> = {
  'embedded:18': {
    rollback: ['false', /3 after ROLLBACK/],
    commits: ['false', /0 of the 3/],
    logged: ['false', /DELETE [\d.]+ MB/],
    'truncate-counter': ['depends', /TRUNCATE: 4; .* 1;/],
    'delete-counter': ['true', /4 with an identity/],
    triggers: ['depends', /AFTER TRUNCATE fired 1×/],
    'foreign-keys': ['false', /0A000/],
    privilege: ['false', /42501/],
    snapshot: ['false', /3 rows after .* DELETE, 0 rows after/],
    space: ['true', /after VACUUM t 0 bytes/],
  },
  'mysql:9.7': {
    rollback: ['true', /0 after ROLLBACK/],
    commits: ['true', /3 of the 3/],
    'truncate-counter': ['true', /TRUNCATE: 1; .* 1000: 1$/],
    'delete-counter': ['true', /4 with AUTO_INCREMENT in InnoDB/],
    triggers: ['true', /1064/],
    'foreign-keys': ['false', /1701/],
    privilege: ['false', /1142/],
    snapshot: ['false', /1412/],
  },
  sqlite: {
    rollback: ['no TRUNCATE', /near "TRUNCATE": syntax error/],
    'without-where': ['depends', /with a trigger/],
    'delete-counter': ['depends', /4 with AUTOINCREMENT, 1 with/],
    space: ['true', /after VACUUM \d/],
  },
}

/**
 * By claim, the errors that a server reports for some of its statements. All other statements must succeed.
 */
const REFUSED: Readonly<Record<string, RegExp>> = {
  triggers: /^1064: /,
  'foreign-keys': /^(0A000|1701): /,
  locks: /^(55P03|1205): /,
  snapshot: /^1412: /,
  space: /^SQLITE_ERROR: near "TRUNCATE"/,
}

const serverIds = ['embedded:18', 'mysql:9.7'] as const satisfies ServerId[]
for (const id of serverIds) {
  describeOn(id, ({ engine, url }) => {
    const claims = CLAIMS.filter(({ isTimed }) => !isTimed)
    checkClaims(id, claims, (name) => openOnServer(engine, url, name))
  })
}

describe('sqlite', () => {
  const claims = CLAIMS.filter(({ isOfTruncate }) => !isOfTruncate)
  checkClaims('sqlite', claims, openOnSqlite)
})

function checkClaims(
  id: string,
  pasted: readonly Claim[],
  open: (name: string) => Promise<ClaimContext>,
): void {
  const sayings = Object.entries(MANUALS[id] ?? {}).map(([claimId, says]) => [claimId, ...says] as const)
  it.each(sayings)('%s: %s', async (claimId, verdict, evidence) => {
    const claim = CLAIMS.find((known) => known.id === claimId)
    if (claim === undefined) throw new Error(`there is no claim ${claimId}`)
    const answer = await answerOn({ open }, claim)
    expect(answer).toMatchObject({ verdict, evidence: expect.stringMatching(evidence) })
  })

  it.each(pasted.map((claim) => [claim.id, claim] as const))(
    '%s: its statements run as they are printed',
    async (name, claim) => {
      await using context = await open(`${name}-pasted`)
      for (const refused of await refusalsOf(claim, context)) {
        expect(refused).toMatch(REFUSED[name] ?? /^none$/)
      }
    },
  )
}

async function refusalsOf(claim: Claim, context: ClaimContext): Promise<string[]> {
  const impatient = { ...context.sql, limitLockWaits: () => context.sql.limitLockWaits(1) }
  const sessions = new Map<number, Client>([[1, context.client]])
  const refusals: string[] = []
  for (const { session, sql } of claim.statements(impatient)) {
    const client = sessions.get(session) ?? (await context.connect())
    sessions.set(session, client)
    if (sql.startsWith('--')) continue
    const refused = await refusal(client, sql)
    if (refused !== undefined) refusals.push(refused)
  }
  return refusals
}

const folder = mkdtempSync(join(tmpdir(), 'afresh-claims-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

function program(...args: string[]): { status: number | null; output: string } {
  const run = spawnSync('npx', ['jiti', 'benchmarks/claims/run.ts', ...args], {
    cwd: join(import.meta.dirname, '../..'),
    encoding: 'utf8',
  })
  return { status: run.status, output: run.stdout + run.stderr }
}

describe('the program', () => {
  it('rejects unknown claims', () => {
    const { status, output } = program('--claims', 'rollback,folklore')
    expect(status).toBe(2)
    expect(output).toContain(`'folklore' is not a claim`)
  })

  it.each([
    ['--servers', 'better-sqlite3'],
    ['--claims', 'rollback'],
  ])('does not write partial answers over the complete results: %s %s', (...args) => {
    const { status, output } = program(...args)
    expect(status).toBe(2)
    expect(output).toMatch(/leave some out, and the results in \S+claims hold all: .* --out\n/)
  })
})

describe('the results', () => {
  it('writes answers, and the page generated from them', () => {
    const { status, output } = program(
      '--servers',
      'better-sqlite3',
      '--claims',
      'delete-counter,rollback',
      '--out',
      folder,
    )
    expect(`${status} ${output}`).toMatch(/^0 .*depends +DELETE does not reset/s)
    const { servers } = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as Results
    expect(servers).toMatchObject([
      { id: 'better-sqlite3', answers: { rollback: { verdict: 'no TRUNCATE' } } },
    ])
    const page = readFileSync(join(folder, 'README.md'), 'utf8')
    expect(page).toContain('| [DELETE does not reset the counter](#delete-counter) | depends |')
    expect(page).toContain('```sql\nCREATE TABLE t (id integer PRIMARY KEY AUTOINCREMENT')
  })
})
