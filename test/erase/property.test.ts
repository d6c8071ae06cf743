import { describe, it } from 'vitest'
import { describeOn, engines } from '../support/servers.ts'
import { describeSqlite } from '../support/sqlite.ts'
import { play } from './run-case.ts'
import { type EraseTarget, onMysql, onPostgres, onSqlite } from './targets.ts'

/** `npm run soak:erase` runs 5,000 on each engine. AFRESH_ERASE_SEED repeats a failing seed. */
const CASES = Number(process.env.AFRESH_ERASE_CASES ?? 100)
const FIRST = Number(process.env.AFRESH_ERASE_SEED ?? 1)

function cases(open: () => Promise<EraseTarget> | EraseTarget): void {
  it(`leaves the same rows as the model, in ${CASES} random cases`, { timeout: 3_600_000 }, async () => {
    await using target = await open()
    for (let seed = FIRST; seed < FIRST + CASES; seed++) await play(target, seed)
  })
}

for (const { id } of engines) {
  describeOn(id, (server) =>
    cases(() => (server.engine === 'postgres' ? onPostgres(server) : onMysql(server))),
  )
}

describe('SQLite', () => describeSqlite(({ open }) => cases(() => onSqlite(open))))
