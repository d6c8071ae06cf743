import { createHash, randomInt } from 'node:crypto'
import type { Connection } from '../connection.ts'
import { repeatDeadlocked } from './deadlocks.ts'
import { createRegistry, REGISTRY } from './ownership.ts'
import { literal } from './quote.ts'
import { batch, settingsSentBy } from './session.ts'

/**
 * What resets have sent of the statements that the server counts (`Com_…`) for all sessions together: in other
 * databases, these change nothing here. A session announces its statements before it sends them, and counts
 * them as finished afterwards, so that what others sent is at most the server's count less what was finished
 * before, and at least that count less what is announced afterwards. Another session with the same database, as
 * each snapshot has, is one of the others: what it restores differs.
 *
 * In memory, like the server's counts: a restart clears both. One more row of each database keeps the sums of
 * its ended sessions, and row 0 those of databases that are gone.
 */
const TABLE = `${REGISTRY}.own_statements_3`

/** `altered`: ALTER, which `SchemaWatch` counts. `uncounted`: others that the counts of rows do not show. `settings`: SET. */
const KINDS = ['altered', 'uncounted', 'settings'] as const
type Kind = (typeof KINDS)[number]
export type Sums = Readonly<Record<Kind, number>>

const NONE: Sums = { altered: 0, uncounted: 0, settings: 0 }

const COLUMNS = KINDS.flatMap((kind) => [`${kind}_announced`, `${kind}_finished`])

const CREATE = `CREATE TABLE IF NOT EXISTS ${TABLE} (id BIGINT PRIMARY KEY, owner BIGINT NOT NULL,
  name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
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
  readonly announcedQuery: string
  /** Query for the announced ALTER statements as `own`. */
  readonly alteredQuery: string
  readonly #connection: Connection
  readonly #database: string
  // Exact as a JavaScript number; `randomInt` takes ranges below 2^48.
  readonly #id = randomInt(1, 2 ** 47)
  #sent = NONE

  private constructor(connection: Connection, database: string) {
    this.#connection = connection
    this.#database = database
    const sums = (state: string) => KINDS.map((kind) => `COALESCE(SUM(${kind}_${state}), 0) AS ${kind}`)
    const counted = `FROM ${TABLE} WHERE id = ${this.#id} OR name <> ${literal(database)}`
    this.finishedQuery = `SELECT ${sums('finished').join(', ')}, COALESCE(SUM(id = ${this.#id}), 0) AS present ${counted}`
    this.announcedQuery = `SELECT ${sums('announced').join(', ')} ${counted}`
    this.alteredQuery = `SELECT COALESCE(SUM(altered_announced), 0) AS own ${counted}`
  }

  static async open(connection: Connection, database: string): Promise<OwnStatements> {
    const own = new OwnStatements(connection, database)
    await own.enter()
    return own
  }

  /** Registers the session, which a restart of the server forgets, and adds up those that have ended. */
  async enter(): Promise<void> {
    await createTable(this.#connection)
    const rows = await this.#connection.query(
      `SELECT s.id, s.name, s.owner = 0 AS is_sum, d.schema_name IS NULL AS is_gone
       FROM ${TABLE} AS s LEFT JOIN information_schema.processlist AS p ON p.id = s.owner
       LEFT JOIN information_schema.schemata AS d ON BINARY d.schema_name = BINARY s.name
       WHERE s.id <> 0 AND p.id IS NULL AND (s.owner <> 0 OR d.schema_name IS NULL)`,
    )
    const ended = rows.map(({ id, name, is_gone: isGone }) => ({
      id: String(id),
      name: Number(isGone) === 1 ? '' : String(name),
    }))
    await batch(this.#connection, addUp(ended))
    const [row] = await this.#connection.query(this.finishedQuery)
    if (Number(row?.present) > 0) return
    this.#sent = NONE
    await this.#connection.query(
      `INSERT INTO ${TABLE} (id, owner, name, ${COLUMNS.join(', ')})
       SELECT ${this.#id}, CONNECTION_ID(), ${literal(this.#database)}, ${COLUMNS.map(() => 0).join(', ')}`,
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
        // At least these ran: counting one too few makes the other sessions take another snapshot.
        this.#sent = plus(before, statements.slice(0, index ?? 0))
        await this.#connection.query(this.#update(this.#sent, this.#sent)).catch(() => {})
      },
    }
  }

  async close(): Promise<void> {
    await batch(this.#connection, addUp([{ id: String(this.#id), name: this.#database }]))
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

interface EndedSession {
  readonly id: string
  /** Of its database; empty if that is gone. */
  readonly name: string
}

/**
 * Moves what these sessions finished to the row of their database, in one statement for each, so that nobody sees
 * it twice or not at all. What a killed session announced and did not finish counts as sent by others from here
 * on.
 */
function addUp(ended: readonly EndedSession[]): string[] {
  return [...new Set(ended.map(({ name }) => name))].flatMap((name) => {
    const target = sumId(name)
    const ids = ended.filter((entry) => entry.name === name && entry.id !== target).map(({ id }) => id)
    if (ids.length === 0) return []
    const sums = KINDS.map((kind) => `COALESCE(SUM(${kind}_finished), 0) AS ${kind}`)
    const moved = COLUMNS.map((column) => {
      const kind = column.slice(0, column.indexOf('_'))
      return `s.${column} = IF(s.id = ${target}, s.${column} + e.${kind}, 0)`
    })
    return [
      `INSERT IGNORE INTO ${TABLE} (id, owner, name, ${COLUMNS.join(', ')})
       VALUES (${target}, 0, ${literal(name)}, ${COLUMNS.map(() => 0).join(', ')})`,
      `UPDATE ${TABLE} AS s JOIN (SELECT ${sums.join(', ')} FROM ${TABLE} WHERE id IN (${ids.join(', ')})) AS e
       SET ${moved.join(', ')} WHERE s.id IN (${[target, ...ids].join(', ')})`,
      `DELETE FROM ${TABLE} WHERE id IN (${ids.join(', ')})`,
    ]
  })
}

/** Of the row with the sums of a database: negative, unlike those of sessions. */
function sumId(name: string): string {
  if (name === '') return '0'
  const digest = createHash('sha256').update(name).digest()
  return String(-1 - digest.readUIntBE(0, 5))
}

const UNCOUNTED = /^(TRUNCATE|LOCK TABLES)\b/

function plus(sums: Sums, statements: readonly string[]): Sums {
  const number = (pattern: RegExp) => statements.filter((sql) => pattern.test(sql)).length
  return {
    altered: sums.altered + number(/^ALTER (TABLE|SEQUENCE)\b/),
    uncounted: sums.uncounted + number(UNCOUNTED),
    settings: sums.settings + (statements.length === 0 ? 0 : settingsSentBy(statements) + number(/^SET\b/)),
  }
}
