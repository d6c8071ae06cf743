import { randomInt } from 'node:crypto'
import type { Connection } from '../connection.ts'
import { repeatDeadlocked } from './deadlocks.ts'
import { createRegistry, REGISTRY } from './ownership.ts'
import { literal } from './quote.ts'
import { batch, settersOf } from './session.ts'

/**
 * What every session has sent of the statements that it wants to tell from those of others: the server counts
 * them (`Com_…`) for all sessions together. A session announces its statements before it sends them, and counts
 * them as finished afterwards, so that what others sent is at most the server's count less what was finished
 * before, and at least that count less what is announced afterwards.
 *
 * In memory, like the server's counts: a restart clears both. The row 0 keeps the sums of ended sessions.
 */
const TABLE = `${REGISTRY}.own_statements_1`

/** `altered`: ALTER, which `SchemaWatch` counts. `uncounted`: others that the counts of rows do not show. */
const KINDS = ['altered', 'uncounted', 'setters'] as const
type Kind = (typeof KINDS)[number]
export type Sums = Readonly<Record<Kind, number>>

const NONE: Sums = { altered: 0, uncounted: 0, setters: 0 }

const COLUMNS = KINDS.flatMap((kind) => [`${kind}_announced`, `${kind}_finished`])

const CREATE = `CREATE TABLE IF NOT EXISTS ${TABLE} (id BIGINT PRIMARY KEY, owner BIGINT NOT NULL,
  ${COLUMNS.map((name) => `${name} BIGINT NOT NULL`).join(', ')}) ENGINE=MEMORY`

export const OWN_STATEMENTS_TABLE = TABLE.slice(REGISTRY.length + 1)

/** A message whose statements are recorded. */
export interface SentStatements {
  /** Sent before and after them, in the same message. */
  readonly first: string
  readonly last: string
  /** Call it when the message has been answered. */
  finished(): void
  /** @param index of the statement that failed; `undefined` if it is unknown which of them ran */
  failed(index: number | undefined): Promise<void>
}

export class OwnStatements {
  /** Query for the sums of finished statements, and whether this session is known as `present`. */
  readonly finishedQuery: string
  /** Query for the sums of announced statements. */
  readonly announcedQuery =
    `SELECT ${KINDS.map((kind) => `SUM(${kind}_announced) AS ${kind}`).join(', ')} FROM ${TABLE}`
  /** Query for the announced ALTER statements as `own`. */
  readonly alteredQuery = `SELECT SUM(altered_announced) AS own FROM ${TABLE}`
  readonly #connection: Connection
  // Exact as a JavaScript number; `randomInt` takes ranges below 2^48.
  readonly #id = randomInt(1, 2 ** 47)
  #sent = NONE

  private constructor(connection: Connection) {
    this.#connection = connection
    const sums = KINDS.map((kind) => `SUM(${kind}_finished) AS ${kind}`)
    this.finishedQuery = `SELECT ${sums.join(', ')}, SUM(id = ${this.#id}) AS present FROM ${TABLE}`
  }

  static async open(connection: Connection): Promise<OwnStatements> {
    const own = new OwnStatements(connection)
    await own.enter()
    return own
  }

  /** Registers the session, which a restart of the server forgets, and adds up those that have ended. */
  async enter(): Promise<void> {
    await createTable(this.#connection)
    const ended = await this.#connection.query(
      `SELECT s.id FROM ${TABLE} AS s LEFT JOIN information_schema.processlist AS p ON p.id = s.owner
       WHERE s.id <> 0 AND p.id IS NULL`,
    )
    await batch(this.#connection, [
      `INSERT IGNORE INTO ${TABLE} (id, owner, ${COLUMNS.join(', ')}) VALUES (0, 0, ${COLUMNS.map(() => 0).join(', ')})`,
      ...addUp(ended.map(({ id }) => String(id))),
    ])
    const [row] = await this.#connection.query(this.finishedQuery)
    if (Number(row?.present) > 0) return
    this.#sent = NONE
    await this.#connection.query(
      `INSERT INTO ${TABLE} (id, owner, ${COLUMNS.join(', ')}) SELECT ${this.#id}, CONNECTION_ID(), ${COLUMNS.map(() => 0).join(', ')}`,
    )
  }

  record(statements: readonly string[]): SentStatements {
    const before = this.#sent
    const after = plus(before, statements)
    return {
      first: this.#update(after, before),
      last: this.#update(after, after),
      finished: () => {
        this.#sent = after
      },
      failed: async (index) => {
        // At least these ran: counting one too few makes the other sessions look once more.
        this.#sent = plus(before, statements.slice(0, index ?? 0))
        await this.#connection.query(this.#update(this.#sent, this.#sent)).catch(() => {})
      },
    }
  }

  async close(): Promise<void> {
    await batch(this.#connection, addUp([String(this.#id)]))
  }

  #update(announced: Sums, finished: Sums): string {
    const values = KINDS.map(
      (kind) => `${kind}_announced = ${announced[kind]}, ${kind}_finished = ${finished[kind]}`,
    )
    return `UPDATE ${TABLE} SET ${values.join(', ')} WHERE id = ${this.#id}`
  }
}

/** CREATE TABLE, even one without effect, makes all workers compare their definitions. */
async function createTable(connection: Connection): Promise<void> {
  const found = await connection.query(
    `SELECT 1 FROM information_schema.tables WHERE table_schema = ${literal(REGISTRY)}
     AND table_name = ${literal(OWN_STATEMENTS_TABLE)}`,
  )
  if (found.length > 0) return
  await createRegistry(connection)
  await repeatDeadlocked(() => batch(connection, [CREATE]))
}

/**
 * Moves what these sessions finished to row 0, in one statement, so that nobody sees it twice or not at all. What
 * a killed session announced and did not finish counts as sent by others from here on.
 */
function addUp(ids: readonly string[]): string[] {
  if (ids.length === 0) return []
  const sums = KINDS.map((kind) => `COALESCE(SUM(${kind}_finished), 0) AS ${kind}`)
  const moved = COLUMNS.map((column) => {
    const kind = column.slice(0, column.indexOf('_'))
    return `s.${column} = IF(s.id = 0, s.${column} + e.${kind}, 0)`
  })
  return [
    `UPDATE ${TABLE} AS s JOIN (SELECT ${sums.join(', ')} FROM ${TABLE} WHERE id IN (${ids.join(', ')})) AS e
     SET ${moved.join(', ')} WHERE s.id IN (0, ${ids.join(', ')})`,
    `DELETE FROM ${TABLE} WHERE id IN (${ids.join(', ')})`,
  ]
}

const UNCOUNTED = /^(TRUNCATE|LOCK TABLES)\b/

function plus(sums: Sums, statements: readonly string[]): Sums {
  const number = (pattern: RegExp) => statements.filter((sql) => pattern.test(sql)).length
  return {
    altered: sums.altered + number(/^ALTER (TABLE|SEQUENCE)\b/),
    uncounted: sums.uncounted + number(UNCOUNTED),
    setters: sums.setters + (statements.length === 0 ? 0 : settersOf(statements) + number(/^SET\b/)),
  }
}
