import { expect, it } from 'vitest'
import { AfreshError, type AttachOptions, type ResetReport } from '../../src/index.ts'
import { randomFrom } from '../engine/mysql/writes.ts'
import { asPlainRole } from '../support/plain-role.ts'
import { describeOn, type ServerAtHand, type ServerId } from '../support/servers.ts'
import { withLease } from './support.ts'
import { type Client, clientOf, contentOf, randomWrite, schemaFor } from './writers.ts'

/** `npm run soak:writers` sets 5,000. */
const ROUNDS = Number(process.env.AFRESH_WRITER_ROUNDS ?? 25)
const SEED = Number(process.env.AFRESH_WRITER_SEED ?? 1)

const same = async (server: ServerAtHand) => server

interface Way {
  readonly id: ServerId
  readonly way: string
  readonly as: (server: ServerAtHand) => Promise<ServerAtHand>
  readonly options?: AttachOptions
}

const WAYS: readonly Way[] = [
  { id: 'postgres:18', way: 'superuser', as: same },
  { id: 'postgres:18', way: 'plain role', as: asPlainRole },
  { id: 'mysql:9.7', way: 'own settings', as: same },
  { id: 'mariadb:11.8', way: 'own settings, userstat', as: same },
  { id: 'mysql:9.7-stock', way: 'stock', as: same },
  { id: 'mariadb:11.8-stock', way: 'stock', as: same },
]

/** One word for the two valid outcomes: 'ok', or 'blocked' by another session. */
function outcomeOf(result: unknown): string {
  if (!(result instanceof Error)) {
    const notes = (result as ResetReport).notes.filter(
      (note) => !/^Another session wrote and has not ended/.test(note),
    )
    return notes.length === 0 ? 'ok' : notes.join(' ')
  }
  return result instanceof AfreshError && result.code === 'blocked' ? 'blocked' : `${result}`
}

/** Writes until `isOver`, sometimes in transactions, and ignores statements that the server refuses. */
async function writeUntil(
  isOver: () => boolean,
  client: Client,
  server: ServerAtHand,
  pick: (below: number) => number,
): Promise<void> {
  const attempt = async (sql: string): Promise<boolean> => {
    try {
      await client.query(sql)
      return true
    } catch (error) {
      if (client.isLost()) throw error
      return false
    }
  }
  while (!isOver()) {
    const isTransaction = pick(3) === 0
    if (isTransaction) await attempt('BEGIN')
    for (let left = 1 + pick(3); left > 0; left--) if (!(await attempt(randomWrite(server, pick)))) break
    if (isTransaction) await attempt(pick(3) === 0 ? 'ROLLBACK' : 'COMMIT')
  }
}

for (const { id, way, as, options = {} } of WAYS) {
  describeOn(id, (bare) => {
    it(`${way}: whatever other sessions write before, during and between resets, a final reset restores the baseline`, {
      timeout: 120_000 + ROUNDS * 5_000,
    }, async () => {
      const server = await as(bare)
      const statements = schemaFor(server)
      await withLease(server, statements.join(';\n'), options, async (database) => {
        const own = { ...server, url: database.url }
        const writers = [await clientOf(own), await clientOf(own)]
        const reader = await clientOf(own)
        const baseline = await contentOf(reader, server)
        let oks = 0
        for (let round = 0; round < ROUNDS; round++) {
          const pick = randomFrom(SEED * 1_000_003 + round)
          let isOver = false
          const writing = writers.map((client, index) =>
            writeUntil(() => isOver, client, server, randomFrom(SEED * 7_919 + round * 2 + index)),
          )
          const results: unknown[] = []
          for (let resets = 1 + pick(2); resets > 0; resets--)
            results.push(await database.reset().catch((error: unknown) => error))
          isOver = true
          const ended = await Promise.allSettled(writing)
          const context = `round ${round}: ${results.map(outcomeOf).join(', ')}`
          expect(ended, context).toEqual(writers.map(() => ({ status: 'fulfilled', value: undefined })))
          for (const result of results) expect(outcomeOf(result), context).toMatch(/^(ok|blocked)$/)
          oks += results.filter((result) => outcomeOf(result) === 'ok').length
          const { notes } = await database.reset()
          expect(notes, context).toEqual([])
          expect(await contentOf(reader, server), context).toEqual(baseline)
        }
        expect(await database.verify()).toEqual([])
        expect(oks).toBeGreaterThan(0)
        for (const client of [...writers, reader]) await client.end()
      })
    })
  })
}
