import { AfreshError, messageOf } from '../../errors.ts'
import { type Schema, type Table, tableOf } from '../../schema/schema.ts'
import type { Connection, Row } from '../connection.ts'
import type { CloneOptions } from '../databases.ts'
import { copyViews } from './clone-views.ts'
import { connect } from './connection.ts'
import { createEach, failedAt } from './create-each.ts'
import { type Definition, definitionFrom } from './definitions.ts'
import { nextOf } from './flavor.ts'
import { flavorOf } from './flavor-of.ts'
import { inspectState, introspect } from './introspect.ts'
import { provision } from './provision.ts'
import { ident, literal, tableIn } from './quote.ts'
import { BatchError, batch, takeDefinitions } from './session.ts'
import { columnList } from './statements.ts'
import { urlOf } from './url.ts'

/**
 * Copies `template` and returns the mark of the copy. Neither server has template databases: the copy replays
 * the definitions and selects the rows.
 *
 * @throws AfreshError `usage` for a client, otherwise `server`; leaves no partial copy
 */
export async function cloneDatabase(
  connection: Connection,
  template: string,
  name: string,
  { programs = true, leftOut = () => {} }: CloneOptions = {},
): Promise<string> {
  const { url } = connection
  if (url === undefined) {
    throw new AfreshError('usage', 'A client cannot clone databases.', {
      next: 'Give afresh the URL of the server.',
    })
  }
  const { name: server } = await flavorOf(connection)
  const [row] = await connection.query(
    `SELECT default_character_set_name AS charset, default_collation_name AS collation,
       ${server === 'mariadb' ? 'schema_comment' : "''"} AS comment
     FROM information_schema.schemata WHERE schema_name = ${literal(template)}`,
  )
  if (row === undefined) {
    throw new AfreshError('server', `There is no database "${template}" to clone.`, {
      next: 'Prepare the template again.',
    })
  }
  const fill = async ([from, to]: readonly Connection[]) => {
    if (from === undefined || to === undefined) return
    await copy(from, to, { template, name }, { programs, leftOut }).catch((cause) => {
      if (cause instanceof AfreshError) throw cause
      throw new AfreshError('server', `Could not clone "${template}": ${messageOf(cause)}`, {
        next: 'Fix what it says in migrations or fixtures.',
        cause,
      })
    })
  }
  const comment = row.comment === '' ? '' : ` COMMENT ${literal(String(row.comment))}`
  return provision(connection, name, `CHARACTER SET ${row.charset} COLLATE ${row.collation}${comment}`, () =>
    withConnections([urlOf(url, template), urlOf(url, name)], fill),
  )
}

interface Names {
  readonly template: string
  readonly name: string
}

async function copy(
  from: Connection,
  to: Connection,
  names: Names,
  { programs: isWithPrograms, leftOut }: Required<CloneOptions>,
): Promise<void> {
  const schema = await introspect(from)
  const programs = isWithPrograms ? await listPrograms(from) : NO_PROGRAMS
  const definitions = await readDefinitions(from, schema, programs, names)
  await takeDefinitions(to)
  await replay(to, [...definitions.sequences, ...definitions.tables])
  const { populated } = await inspectState(from, schema)
  await replay(to, [
    ...populated.map((id) => copyRows(tableOf(schema, id), names.template)),
    ...counters(schema),
  ])
  await createEach(to, definitions.routines)
  await copyViews(from, to, programs.views, { renamed: (definition) => renamed(definition, names), leftOut })
  await createEach(to, [...definitions.triggers, ...definitions.events])
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

interface Definitions {
  readonly sequences: readonly string[]
  readonly tables: readonly string[]
  readonly routines: readonly Definition[]
  readonly triggers: readonly Definition[]
  readonly events: readonly Definition[]
}

async function readDefinitions(
  connection: Connection,
  schema: Schema,
  programs: Programs,
  names: Names,
): Promise<Definitions> {
  const free = schema.sequences.filter(({ kind }) => kind === 'sequence')
  const wanted = {
    sequences: free.map(({ name }) => ({ kind: 'SEQUENCE', name })),
    tables: schema.tables.map(({ name }) => ({ kind: 'TABLE', name })),
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
    all.map(
      (candidate, program) => [candidate, renamed(definitionFrom(results[program]?.rows[0]), names)] as const,
    ),
  )
  const definitions = (of: readonly StoredProgram[]) => of.flatMap((program) => read.get(program) ?? [])
  const statements = (of: readonly StoredProgram[]) => definitions(of).map(({ sql }) => sql)
  return {
    sequences: statements(wanted.sequences),
    tables: statements(wanted.tables).map(withRoomForRows),
    routines: definitions(wanted.routines),
    triggers: definitions(wanted.triggers),
    events: definitions(wanted.events),
  }
}

/** An ARCHIVE table rejects ids below its counter, and advances the counter with each row. */
function withRoomForRows(sql: string): string {
  return sql.replace(/( ENGINE=ARCHIVE) AUTO_INCREMENT=\d+/, '$1')
}

/** Qualified names in the template's own database become names in the clone. */
function renamed(definition: Definition, { template, name }: Names): Definition {
  return { ...definition, sql: definition.sql.replaceAll(`${ident(template)}.`, `${ident(name)}.`) }
}

async function replay(connection: Connection, statements: readonly string[]): Promise<void> {
  if (statements.length === 0) return
  try {
    await batch(connection, statements)
  } catch (error) {
    if (!(error instanceof BatchError) || error.index === undefined) throw error
    throw failedAt(statements[error.index] ?? '', error)
  }
}

async function withConnections(
  urls: readonly string[],
  body: (connections: readonly Connection[]) => Promise<void>,
): Promise<void> {
  const open: Connection[] = []
  try {
    for (const url of urls) open.push(await connect(url))
    await body(open)
  } finally {
    for (const connection of open) await connection.close()
  }
}
