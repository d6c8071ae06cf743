import { expect, it } from 'vitest'
import { AfreshError } from '../../src/index.ts'
import { randomFrom } from '../engine/mysql/writes.ts'
import { ask } from '../support/ask.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'
import { withLease } from './support.ts'

/** `npm run soak:sessions` does 1,000. */
const ROUNDS = Number(process.env.AFRESH_SESSION_KILLS ?? 15)
const TABLES = Array.from({ length: 12 }, (_, no) => `t${no}`)
/** Milliseconds. A reset of these tables takes less. */
const LATEST = 12

const SCHEMA = TABLES.map(
  (table, no) =>
    `CREATE TABLE ${table} (id int PRIMARY KEY, v int); INSERT INTO ${table} VALUES (1, ${no}), (2, ${no})`,
).join(';\n')

/** The sessions in a database, but for that of the question. */
const SESSIONS = {
  postgres: (name: string) =>
    `SELECT pid AS id FROM pg_stat_activity WHERE datname = '${name}' AND pid <> pg_backend_pid()`,
  mysql: (name: string) => `SELECT id AS id FROM information_schema.processlist WHERE db = '${name}'`,
}

async function sessionsIn(server: ServerAtHand, name: string): Promise<number[]> {
  const rows = await ask(server, SESSIONS[server.engine === 'postgres' ? 'postgres' : 'mysql'](name))
  return rows.map(({ id }) => Number(id))
}

async function kill(server: ServerAtHand, sessions: readonly number[]): Promise<void> {
  const sql =
    server.engine === 'postgres'
      ? (id: number) => `SELECT pg_terminate_backend(${id})`
      : (id: number) => `KILL ${id}`
  // It may have ended meanwhile.
  for (const id of sessions) await ask(server, sql(id)).catch(() => {})
}

for (const id of [
  'postgres:18',
  'mysql:9.7',
  'mariadb:11.8',
  'mysql:9.7-stock',
  'mariadb:11.8-stock',
] as const) {
  describeOn(id, (server) => {
    it(`a reset whose session is killed says so, and the next one restores the baseline, ${ROUNDS} times`, {
      timeout: 120_000 + ROUNDS * 5_000,
    }, async () => {
      await withLease(server, SCHEMA, {}, async (database, run) => {
        const contents = async () =>
          run(`${TABLES.map((table) => `SELECT id, v FROM ${table}`).join(' UNION ALL ')} ORDER BY 2, 1`)
        const baseline = await contents()
        let failures = 0
        for (let round = 0; round < ROUNDS; round++) {
          const pick = randomFrom(round)
          await run(
            TABLES.map(
              (table) => `DELETE FROM ${table} WHERE id = ${1 + pick(2)}; INSERT INTO ${table} VALUES (3, 3)`,
            ).join('; '),
          )
          const sessions = await sessionsIn(server, database.name)
          expect(sessions.length, `round ${round}`).toBeGreaterThan(0)
          const resetting = database.reset().catch((error: unknown) => error)
          await new Promise((later) => setTimeout(later, pick(LATEST)))
          await kill(server, sessions)
          const outcome = await resetting
          if (outcome instanceof Error) {
            failures += 1
            expect(outcome, `round ${round}`).toBeInstanceOf(AfreshError)
            expect((outcome as AfreshError).next, `round ${round}: ${outcome.message}`).toBeDefined()
            expect(outcome.message, `round ${round}`).not.toMatch(/another worker/)
          }
          // A session that was killed between two resets is noticed by the next one.
          await database.reset().catch((error: unknown) => {
            expect(error, `round ${round}, next`).toBeInstanceOf(AfreshError)
            expect(outcome, `round ${round}, next: ${error}`).not.toBeInstanceOf(Error)
          })
          await database.reset()
          expect(await contents(), `round ${round}`).toEqual(baseline)
        }
        expect(failures).toBeGreaterThan(0)
        expect(await database.verify()).toEqual([])
      })
    })
  })
}
