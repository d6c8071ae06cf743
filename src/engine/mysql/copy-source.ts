import { graphOf } from '../../schema/graph.ts'
import { type Schema, type Table, tableOf } from '../../schema/schema.ts'
import type { Connection, Row } from '../connection.ts'
import { readViews, type View } from './clone-views.ts'
import { type Definition, definitionFrom } from './definitions.ts'
import { nextOf } from './flavor.ts'
import { inspectState, introspect } from './introspect.ts'
import { ident, literal, tableIn } from './quote.ts'
import { batch } from './session.ts'
import { columnList } from './statements.ts'

/** All that a copy of a template sends. Nothing names the copy. */
export interface CopySource {
  readonly sequences: readonly Definition[]
  /** Parents first: MySQL looks for the children of each new table, and would change their foreign keys. */
  readonly tables: readonly TableCopy[]
  readonly counters: readonly string[]
  readonly routines: readonly Definition[]
  readonly views: readonly View[]
  readonly triggers: readonly Definition[]
  readonly events: readonly Definition[]
}

export interface TableCopy {
  readonly definition: Definition
  /** INSERT … SELECT; `undefined` if the table is empty. */
  readonly rows: RowsCopy | undefined
}

export interface RowsCopy {
  readonly sql: string
  readonly bytes: number
}

/** @param connection in the template */
export async function readSource(
  connection: Connection,
  template: string,
  { programs: isWithPrograms }: { readonly programs: boolean },
): Promise<CopySource> {
  const schema = await introspect(connection)
  const programs = isWithPrograms ? await listPrograms(connection) : NO_PROGRAMS
  const tables = parentsFirst(schema)
  const definitions = await readDefinitions(connection, { schema, tables, programs })
  const { populated } = await inspectState(connection, schema)
  const rows = await rowsOf(
    connection,
    populated.map((id) => tableOf(schema, id)),
    template,
  )
  return {
    ...definitions,
    tables: definitions.tables.map((definition, index) => ({
      definition: withRoomForRows(definition),
      rows: rows.get(tables[index]?.name ?? ''),
    })),
    counters: counters(schema),
    views: await readViews(connection, programs.views),
  }
}

async function rowsOf(
  connection: Connection,
  tables: readonly Table[],
  template: string,
): Promise<ReadonlyMap<string, RowsCopy>> {
  if (tables.length === 0) return new Map()
  const names = tables.map(({ name }) => literal(name)).join(', ')
  const [sizes] = await batch(connection, [
    `SELECT table_name AS name, data_length AS bytes FROM information_schema.tables
     WHERE table_schema = DATABASE() AND table_name IN (${names})`,
  ])
  const bytes = new Map((sizes?.rows ?? []).map((row) => [String(row.name), Number(row.bytes)]))
  return new Map(
    tables.map((table) => [
      table.name,
      { sql: copyRows(table, template), bytes: bytes.get(table.name) ?? 0 },
    ]),
  )
}

function copyRows(table: Table, template: string): string {
  const columns = columnList(table)
  return `INSERT INTO ${ident(table.name)} (${columns}) SELECT ${columns} FROM ${tableIn(template, table.name)}`
}

/** SHOW CREATE TABLE includes AUTO_INCREMENT; no definition includes the position of a MariaDB sequence. */
function counters(schema: Schema): string[] {
  return schema.sequences.flatMap(({ kind, name, position, increment }) =>
    kind === 'sequence' ? [`ALTER SEQUENCE ${ident(name)} RESTART WITH ${nextOf(position, increment)}`] : [],
  )
}

interface StoredProgram {
  readonly kind: string
  readonly name: string
}

interface Programs {
  readonly routines: readonly StoredProgram[]
  readonly views: readonly StoredProgram[]
  readonly triggers: readonly StoredProgram[]
  readonly events: readonly StoredProgram[]
}

const NO_PROGRAMS: Programs = { routines: [], views: [], triggers: [], events: [] }

async function listPrograms(connection: Connection): Promise<Programs> {
  const [routines, views, triggers, events] = await batch(connection, [
    `SELECT routine_type AS kind, routine_name AS name FROM information_schema.routines
     WHERE routine_schema = DATABASE() ORDER BY routine_type, routine_name`,
    `SELECT 'VIEW' AS kind, table_name AS name FROM information_schema.views WHERE table_schema = DATABASE()
     ORDER BY table_name`,
    `SELECT 'TRIGGER' AS kind, trigger_name AS name FROM information_schema.triggers
     WHERE trigger_schema = DATABASE()
     ORDER BY event_object_table, event_manipulation, action_timing, action_order`,
    `SELECT 'EVENT' AS kind, event_name AS name FROM information_schema.events WHERE event_schema = DATABASE()
     ORDER BY event_name`,
  ])
  const read = (rows: readonly Row[] | undefined) =>
    (rows ?? []).map(({ kind, name }) => ({ kind: String(kind), name: String(name) }))
  return {
    routines: read(routines?.rows),
    views: read(views?.rows),
    triggers: read(triggers?.rows),
    events: read(events?.rows),
  }
}

interface Definitions extends Pick<CopySource, 'sequences' | 'routines' | 'triggers' | 'events'> {
  readonly tables: readonly Definition[]
}

interface DefinitionsRequest {
  readonly schema: Schema
  readonly tables: readonly Table[]
  readonly programs: Programs
}

async function readDefinitions(
  connection: Connection,
  { schema, tables, programs }: DefinitionsRequest,
): Promise<Definitions> {
  const wanted = {
    sequences: schema.sequences.flatMap(({ kind, name }) =>
      kind === 'sequence' ? [{ kind: 'SEQUENCE', name }] : [],
    ),
    tables: tables.map(({ name }) => ({ kind: 'TABLE', name })),
    routines: programs.routines,
    triggers: programs.triggers,
    events: programs.events,
  }
  const all = Object.values(wanted).flat()
  const results = await batch(
    connection,
    all.map(({ kind, name }) => `SHOW CREATE ${kind} ${ident(name)}`),
  )
  const read = new Map(
    all.map((candidate, program) => [candidate, definitionFrom(results[program]?.rows[0])] as const),
  )
  const definitions = (of: readonly StoredProgram[]) => of.flatMap((program) => read.get(program) ?? [])
  return {
    sequences: definitions(wanted.sequences),
    tables: definitions(wanted.tables),
    routines: definitions(wanted.routines),
    triggers: definitions(wanted.triggers),
    events: definitions(wanted.events),
  }
}

function parentsFirst(schema: Schema): Table[] {
  return graphOf(schema)
    .order.toReversed()
    .flat()
    .map((id) => tableOf(schema, id))
}

/** An ARCHIVE table rejects ids below its counter, and advances the counter with each row. */
function withRoomForRows(definition: Definition): Definition {
  return { ...definition, sql: definition.sql.replace(/( ENGINE=ARCHIVE) AUTO_INCREMENT=\d+/, '$1') }
}
