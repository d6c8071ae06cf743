import { AfreshError, messageOf, withUndo } from '../../errors.ts'
import type { Schema, Table } from '../../schema/schema.ts'
import type { CloneOptions, Connection, Row } from '../engine.ts'
import { connect } from './connection.ts'
import { asCreated, type Definition, definitionFrom } from './definitions.ts'
import { nextOf } from './flavor.ts'
import { introspect } from './introspect.ts'
import { forget } from './ownership.ts'
import { ident, literal, tableIn } from './quote.ts'
import { BatchError, batch, takeDefinitions } from './session.ts'
import { columnList } from './statements.ts'
import { urlOf } from './url.ts'

/**
 * A copy of `template`: neither server has templates, so its definitions are replayed and its rows selected.
 * Throws `AfreshError` (`server`); leaves no half copy.
 */
export async function cloneDatabase(
  connection: Connection,
  template: string,
  name: string,
  { programs = true, onCreated }: CloneOptions = {},
): Promise<void> {
  const { url } = connection
  if (url === undefined) {
    throw new AfreshError('usage', 'A client cannot clone databases.', {
      next: 'Give afresh the URL of the server.',
    })
  }
  const [row] = await connection.query(
    `SELECT default_character_set_name AS charset, default_collation_name AS collation
     FROM information_schema.schemata WHERE schema_name = ${literal(template)}`,
  )
  if (row === undefined) {
    throw new AfreshError('server', `There is no database "${template}" to clone.`, {
      next: 'Prepare the template again.',
    })
  }
  await connection.query(
    `CREATE DATABASE ${ident(name)} CHARACTER SET ${row.charset} COLLATE ${row.collation}`,
  )
  let isMarked = false
  const fill = async ([from, to]: readonly Connection[]) => {
    if (from === undefined || to === undefined) return
    await onCreated?.(to)
    isMarked = onCreated !== undefined
    await copy(from, to, { template, name }, programs).catch((cause) => {
      throw new AfreshError('server', `Could not clone "${template}": ${messageOf(cause)}`, {
        next: 'Mend what it says in migrations or fixtures.',
        cause,
      })
    })
  }
  await withUndo(
    () => withConnections([urlOf(url, template), urlOf(url, name)], fill),
    async () => {
      await connection.query(`DROP DATABASE ${ident(name)}`)
      if (isMarked) await connection.query(forget(name))
    },
  )
}

interface Names {
  readonly template: string
  readonly name: string
}

async function copy(from: Connection, to: Connection, names: Names, withPrograms: boolean): Promise<void> {
  const schema = await introspect(from)
  const programs = withPrograms ? await listPrograms(from) : NO_PROGRAMS
  const definitions = await readDefinitions(from, schema, programs, names)
  await takeDefinitions(to)
  await replay(to, [
    ...definitions.sequences,
    ...definitions.tables,
    ...schema.tables.filter(hasRows).map((table) => copyRows(table, names.template)),
    ...counters(schema),
  ])
  await createEach(to, definitions.routines)
  await createViews(to, definitions.views)
  await createEach(to, [...definitions.triggers, ...definitions.events])
}

/** Rows of a foreign table live on another server, where the copy would find them too. */
function hasRows({ traits }: Table): boolean {
  return !traits.includes('foreign')
}

function copyRows(table: Table, template: string): string {
  const columns = columnList(table)
  return `INSERT INTO ${ident(table.name)} (${columns}) SELECT ${columns} FROM ${tableIn(template, table.name)}`
}

/** AUTO_INCREMENT stands in SHOW CREATE TABLE; where a MariaDB sequence stands is in no definition. */
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
  readonly views: readonly Definition[]
  readonly triggers: readonly Definition[]
  readonly events: readonly Definition[]
}

/** All definitions in one round trip. */
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
    ...programs,
  }
  const all = Object.values(wanted).flat()
  const results = await batch(
    connection,
    all.map(({ kind, name }) => `SHOW CREATE ${kind} ${ident(name)}`),
  )
  const read = new Map(
    all.map((one, place) => [one, renamed(definitionFrom(results[place]?.rows[0]), names)] as const),
  )
  const definitions = (of: readonly StoredProgram[]) => of.flatMap((one) => read.get(one) ?? [])
  const statements = (of: readonly StoredProgram[]) => definitions(of).map(({ sql }) => sql)
  return {
    sequences: statements(wanted.sequences),
    tables: statements(wanted.tables),
    routines: definitions(wanted.routines),
    views: definitions(wanted.views),
    triggers: definitions(wanted.triggers),
    events: definitions(wanted.events),
  }
}

/** What names the template's own database means the clone's. */
function renamed(definition: Definition, { template, name }: Names): Definition {
  return { ...definition, sql: definition.sql.replaceAll(`${ident(template)}.`, `${ident(name)}.`) }
}

/** Views that stand on other views come after them; what cannot be created in any order fails with its reason. */
async function createViews(connection: Connection, views: readonly Definition[]): Promise<void> {
  let left = [...views]
  while (left.length > 0) {
    const failed: Definition[] = []
    let reason: unknown
    for (const view of left) {
      try {
        await createEach(connection, [view])
      } catch (error) {
        failed.push(view)
        reason = error
      }
    }
    if (failed.length === left.length) throw reason
    left = failed
  }
}

/** In messages of their own: of several statements in one MySQL takes the semicolon for a part of the text. */
async function createEach(connection: Connection, definitions: readonly Definition[]): Promise<void> {
  for (const definition of definitions) {
    for (const statement of asCreated(definition)) {
      try {
        await connection.query(statement)
      } catch (error) {
        throw at(statement, error)
      }
    }
  }
}

async function replay(connection: Connection, statements: readonly string[]): Promise<void> {
  if (statements.length === 0) return
  try {
    await batch(connection, statements)
  } catch (error) {
    if (!(error instanceof BatchError) || error.index === undefined) throw error
    throw at(statements[error.index] ?? '', error)
  }
}

function at(statement: string, cause: unknown): Error {
  return new Error(`${messageOf(cause)}\n  ${statement.replace(/\s+/g, ' ').slice(0, 300)}`, { cause })
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
