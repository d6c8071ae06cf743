import { createHarness, existing } from '../../src/index.ts'
import { connect } from '../client.ts'
import { referenceRowsSql, tableName } from '../schema.ts'
import { EVERYWHERE, type Method, type MethodContext, MYSQL, overConnection, POSTGRES } from './method.ts'

const afresh: Method = {
  id: 'afresh',
  label: 'afresh',
  kind: 'afresh',
  source: 'this package',
  engines: EVERYWHERE,
  async open({ server, schemaSql }) {
    const harness = await createHarness({
      server: existing(server.running.url),
      project: 'bench',
      fingerprint: schemaSql,
      migrate: async ({ url }) => {
        const client = await connect(url)
        await client.run(schemaSql)
        await client.close()
      },
    })
    const database = await harness.lease()
    return {
      url: () => database.url,
      reset: async () => {
        await database.reset()
      },
      close: async () => {
        await database.release()
        await harness.close()
      },
    }
  },
}

const floor: Method = {
  id: 'floor',
  label: 'SELECT 1',
  kind: 'floor',
  source: 'the driver',
  note: 'resets nothing: one round trip',
  engines: EVERYWHERE,
  async open({ database }) {
    return overConnection(await database('floor'), connect, async (client) => {
      await client.run('SELECT 1')
    })
  },
}

/** Hand-written SQL that knows the dirty tables, and the changed rows of `reference`, in one round trip. */
function handWritten(id: string, label: string, note: string, engines: Method['engines'], sql: Sql): Method {
  return {
    id,
    label,
    kind: 'hand',
    source: 'hand-written',
    note,
    engines,
    async open({ database, hasReference }) {
      return overConnection(await database(id), connect, async (client, dirty) => {
        await client.run(dirty.length === 0 ? 'SELECT 1' : sql(dirty.map(tableName), hasReference))
      })
    },
  }
}

type Sql = (tables: readonly string[], hasReference: boolean) => string

/** Deletes children first. */
const deletes = (tables: readonly string[]) => tables.toReversed().map((table) => `DELETE FROM ${table}`)

const REFERENCE_BACK = [
  'DELETE FROM reference WHERE id = 201',
  `UPDATE reference SET name = 'row 7' WHERE id = 7`,
  `INSERT INTO reference (id, name) VALUES (8, 'row 8')`,
]

function postgresByHand(tables: readonly string[], hasReference: boolean): string[] {
  const counters = tables.map((table) => `setval('${table}_id_seq', 1, false)`)
  if (hasReference) counters.push(`setval('reference_id_seq', 200)`)
  const rows = hasReference ? [...deletes(tables), ...REFERENCE_BACK] : deletes(tables)
  return [...rows, ...inParts(counters, 100).map((part) => `SELECT ${part.join(', ')}`)]
}

/** Hand-written SQL for known dirty tables, for the comparison of processor time. */
export function handSql(engine: MethodContext['engine'], dirty: readonly number[]): string {
  const tables = dirty.map(tableName)
  return engine === 'postgres' ? postgresByHand(tables, false).join('; ') : truncatesByHand(tables, false)
}

function truncatesByHand(tables: readonly string[], hasReference: boolean): string {
  return [
    'SET foreign_key_checks = 0',
    ...tables.map((table) => `TRUNCATE ${table}`),
    ...(hasReference ? [...REFERENCE_BACK, 'ALTER TABLE reference AUTO_INCREMENT = 201'] : []),
    'SET foreign_key_checks = 1',
  ].join('; ')
}

/** A row in PostgreSQL has at most 1,664 columns. */
function inParts<T>(items: readonly T[], size: number): T[][] {
  return items.length === 0 ? [] : [items.slice(0, size), ...inParts(items.slice(size), size)]
}

const hands: readonly Method[] = [
  handWritten(
    'hand-delete',
    'hand-written',
    'DELETE of the dirty tables, children first, and setval',
    POSTGRES,
    (tables, hasReference) => postgresByHand(tables, hasReference).join('; '),
  ),
  handWritten(
    'hand-delete-unchecked',
    'hand-written, checks off',
    'the same with session_replication_role = replica: a superuser may',
    POSTGRES,
    (tables, hasReference) =>
      [
        'BEGIN',
        'SET LOCAL session_replication_role = replica',
        ...postgresByHand(tables, hasReference),
        'COMMIT',
      ].join('; '),
  ),
  handWritten(
    'hand-alter',
    'hand-written, DELETE + ALTER',
    'DELETE of the dirty tables, children first, and ALTER TABLE … AUTO_INCREMENT',
    MYSQL,
    (tables, hasReference) => {
      const alters = tables.map((table) => `ALTER TABLE ${table} AUTO_INCREMENT = 1`)
      if (hasReference) alters.push('ALTER TABLE reference AUTO_INCREMENT = 201')
      return [...deletes(tables), ...(hasReference ? REFERENCE_BACK : []), ...alters].join('; ')
    },
  ),
  handWritten(
    'hand-truncate',
    'hand-written, TRUNCATE',
    'TRUNCATE of the dirty tables with foreign_key_checks = 0',
    MYSQL,
    truncatesByHand,
  ),
]

/** The methods that need only afresh and the drivers. */
export const OWN_METHODS: readonly Method[] = [afresh, floor, ...hands]

/** Restores `reference`, for the methods that do not. */
export function refillSql(engine: MethodContext['engine']): string {
  const truncate = engine === 'postgres' ? 'TRUNCATE reference RESTART IDENTITY' : 'TRUNCATE reference'
  return `${truncate}; ${referenceRowsSql()}`
}
