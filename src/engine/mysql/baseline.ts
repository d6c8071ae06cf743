import { AfreshError } from '../../errors.ts'
import { plural } from '../../plan/describe.ts'
import { type Table, tableOf } from '../../schema/schema.ts'
import type { Connection } from '../connection.ts'
import type { Program } from '../resetter.ts'
import { dropDatabase } from './drop-database.ts'
import { BASELINE_PREFIX, currentDatabase, MARKS, shortHash } from './ownership.ts'
import { provision } from './provision.ts'
import { ident, literal, tableIn } from './quote.ts'
import { batch } from './session.ts'
import { columnList } from './statements.ts'

export interface Baseline {
  readonly database: string
  /** Number of rows of each populated table, by table id. */
  readonly rows: ReadonlyMap<string, number>
  close(): Promise<void>
}

/** Uses the template if there is one; otherwise copies the populated tables into a database of their own. */
export async function baselineOf(connection: Connection, program: Program): Promise<Baseline> {
  await refuseHistory(connection, program)
  const tables = program.plan.populated.map((id) => tableOf(program.schema, id))
  if (program.template !== undefined || tables.length === 0) {
    const database = program.template ?? ''
    return { database, rows: await countRows(connection, tables, database), close: async () => {} }
  }
  const database = await currentDatabase(connection)
  await pruneCopies(connection, database)
  const name = program.copyName ?? (await copyNameOf(connection, database))
  const copy = await copyOf(connection, name, tables)
  return {
    database: copy.name,
    rows: await countRows(connection, tables, copy.name),
    async close() {
      inUse.delete(copy.name)
      await dropDatabase(connection, copy.name, copy.mark)
    },
  }
}

/** Throws `AfreshError` (`plan`) for history in the baseline: a reset deletes all history of a table. */
async function refuseHistory(connection: Connection, { schema, plan, template }: Program): Promise<void> {
  const versioned = plan.order
    .flat()
    .map((id) => tableOf(schema, id))
    .filter(({ traits }) => traits.includes('system-versioned'))
  if (versioned.length === 0) return
  const counts = await batch(
    connection,
    versioned.map(({ name }) => {
      const table = tableIn(template, name)
      return `SELECT (SELECT COUNT(*) FROM ${table} FOR SYSTEM_TIME ALL) - (SELECT COUNT(*) FROM ${table}) AS n`
    }),
  )
  const found = versioned.flatMap(({ label }, index) => {
    const n = Number(counts[index]?.rows[0]?.n)
    return n > 0 ? [`"${label}" (${plural(n, 'row')})`] : []
  })
  if (found.length === 0) return
  throw new AfreshError(
    'plan',
    `The baseline has history in system-versioned tables, which no reset could bring back: ${found.join(', ')}.`,
    {
      next: 'End migrations and fixtures with DELETE HISTORY FROM each of them, or name them in `keep`.',
    },
  )
}

async function countRows(
  connection: Connection,
  tables: readonly Table[],
  database: string,
): Promise<Map<string, number>> {
  const results = await batch(
    connection,
    tables.map(({ name }) => `SELECT COUNT(*) AS n FROM ${tableIn(database, name)}`),
  )
  return new Map(tables.map(({ id }, index) => [id, Number(results[index]?.rows[0]?.n)]))
}

/** The copies of this process: one session may have two baselines, on a client of the user. */
const inUse = new Set<string>()

/** The name contains the id of the session, so that copies of crashed sessions can be recognized. */
async function copyNameOf(connection: Connection, database: string): Promise<string> {
  const [row] = await connection.query('SELECT CONNECTION_ID() AS id')
  return `${copyPrefix(database)}${String(row?.id)}`
}

async function copyOf(
  connection: Connection,
  name: string,
  tables: readonly Table[],
): Promise<{ name: string; mark: string }> {
  const mark = await provision(connection, name, '', async () => {
    await batch(
      connection,
      tables.flatMap((table) => copyTable(name, table)),
    )
  })
  inUse.add(name)
  return { name, mark }
}

function copyTable(database: string, table: Table): string[] {
  const copy = tableIn(database, table.name)
  return [
    `CREATE TABLE ${copy} LIKE ${ident(table.name)}`,
    // The copy must survive a restart of the server.
    ...(table.traits.includes('volatile') ? [`ALTER TABLE ${copy} ENGINE = InnoDB`] : []),
    `INSERT INTO ${copy} (${columnList(table)}) SELECT ${columnList(table)} FROM ${ident(table.name)}`,
  ]
}

/**
 * Drops copies whose session has ended. After a restart of the server, this session may have the id of an ended
 * one.
 */
async function pruneCopies(connection: Connection, database: string): Promise<void> {
  const prefix = copyPrefix(database)
  const left = await connection.query(
    `SELECT s.schema_name AS name FROM information_schema.schemata AS s
     WHERE LEFT(s.schema_name, ${prefix.length}) = ${literal(prefix)} AND NOT EXISTS (
       SELECT 1 FROM information_schema.processlist AS p
       WHERE CONCAT(${literal(prefix)}, p.id) = s.schema_name AND p.id <> CONNECTION_ID())`,
  )
  const [row] = await connection.query('SELECT CONNECTION_ID() AS id')
  const own = `${prefix}${String(row?.id)}`
  for (const { name } of left) {
    if (name === own && inUse.has(own)) continue
    const [entry] = await connection.query(
      `SELECT mark FROM ${MARKS} WHERE database_name = ${literal(String(name))}`,
    )
    if (typeof entry?.mark === 'string') await dropDatabase(connection, String(name), entry.mark)
  }
}

function copyPrefix(database: string): string {
  return `${BASELINE_PREFIX}${shortHash(database)}_`
}
