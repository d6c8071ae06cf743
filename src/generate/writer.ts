import type { Connection } from '../engine/connection.ts'
import type { Engine } from '../engine/engine.ts'
import { SERVER_ENGINES, SERVERS } from '../engine/registry.ts'
import type { ColumnFacts, RowDialect } from '../engine/row-dialect.ts'
import { AfreshError, messageOf } from '../errors.ts'
import type { Schema, Table, TableId } from '../schema/schema.ts'
import type { Random } from './random.ts'
import { type GeneratedRow, generateRow, type KeyInput } from './row.ts'
import { valueFor } from './values.ts'

/** Generates rows and writes them through an ordinary application connection. */
export interface Writer {
  readonly schema: Schema
  /** `undefined` on success; otherwise the last error after `tries` attempts. */
  insert(table: Table, tries: number): Promise<string | undefined>
  /** Changes one value of one row. `false` if nothing could be changed. */
  update(table: Table): Promise<boolean>
  /** Deletes one row. `false` if there is none, or another row references it. */
  remove(table: Table): Promise<boolean>
  run(sql: string): Promise<void>
  readonly syntax: RowDialect
}

/** Rows to choose from when a row is referenced, updated or deleted. */
const SAMPLE = 200

/** @throws AfreshError `usage` if the engine does not support generated rows */
export async function writerFor(engine: Engine, connection: Connection, random: Random): Promise<Writer> {
  const { rows: syntax } = engine
  if (syntax === undefined) {
    throw new AfreshError('usage', `Rows cannot be generated for ${engine.title} yet.`, {
      next: `Use one of ${SERVER_ENGINES.map((name) => SERVERS[name].title).join(', ')}.`,
    })
  }
  const schema = await engine.introspect(connection)
  const context = { connection, random, syntax, schema, facts: await syntax.facts(connection, schema) }
  return {
    schema,
    syntax,
    insert: (table, tries) => insert(context, table, tries),
    update: (table) => update(context, table),
    remove: (table) => remove(context, table),
    run: async (sql) => {
      await connection.query(sql)
    },
  }
}

interface Context {
  readonly connection: Connection
  readonly random: Random
  readonly syntax: RowDialect
  readonly schema: Schema
  readonly facts: ReadonlyMap<TableId, readonly ColumnFacts[]>
}

async function insert(context: Context, table: Table, tries: number): Promise<string | undefined> {
  const { random, facts } = context
  const keys = await keysOf(context, table)
  let refusal = 'nothing was tried'
  for (let tried = 0; tried < tries; tried++) {
    // Every second try fills as few columns as possible: fewer values violate fewer constraints.
    const row = generateRow({ table, facts: facts.get(table.id) ?? [], keys, random, bare: tried % 2 === 1 })
    if ('impossible' in row) refusal = row.impossible
    else {
      try {
        await context.connection.query(insertInto(context.syntax, table, row))
        return undefined
      } catch (error) {
        refusal = messageOf(error)
      }
    }
  }
  return refusal
}

function insertInto({ ident, literal, qualified }: RowDialect, table: Table, row: GeneratedRow): string {
  const [first] = table.columns
  if (first === undefined) return `INSERT INTO ${qualified(table)} DEFAULT VALUES`
  if (row.size === 0) return `INSERT INTO ${qualified(table)} (${ident(first.name)}) VALUES (DEFAULT)`
  const names = [...row.keys()].map(ident).join(', ')
  const values = [...row.values()].map((value) => (value === null ? 'NULL' : literal(value))).join(', ')
  return `INSERT INTO ${qualified(table)} (${names}) VALUES (${values})`
}

async function keysOf(context: Context, table: Table): Promise<KeyInput[]> {
  const keys: KeyInput[] = []
  for (const foreignKey of context.schema.foreignKeys.filter(({ from }) => from === table.id)) {
    const parent = context.schema.tables.find(({ id }) => id === foreignKey.to)
    const parents = parent === undefined ? [] : await sample(context, parent, foreignKey.referencedColumns)
    keys.push({ foreignKey, parents })
  }
  // Mandatory keys choose first: nullable ones can be NULL.
  return keys.sort((a, b) => nullables(table, a) - nullables(table, b))
}

function nullables({ columns }: Table, { foreignKey }: KeyInput): number {
  return foreignKey.columns.filter((name) => columns.find((column) => column.name === name)?.nullable).length
}

/** Some rows as text, in the order of the columns. */
async function sample(
  { connection, syntax }: Context,
  table: Table,
  columns: readonly string[],
): Promise<(string | null)[][]> {
  const list = columns.map((name, index) => `${syntax.asText(syntax.ident(name))} AS c${index}`)
  const rows = await connection.query(
    `SELECT ${list.join(', ')} FROM ${syntax.qualified(table)} LIMIT ${SAMPLE}`,
  )
  return rows.map((row) =>
    columns.map((_, index) => (row[`c${index}`] === null ? null : String(row[`c${index}`]))),
  )
}

async function update(context: Context, table: Table): Promise<boolean> {
  const { random, schema, facts, connection, syntax } = context
  const inKeys = new Set([
    ...table.primaryKey,
    ...schema.foreignKeys.flatMap((key) => (key.from === table.id ? key.columns : [])),
    ...schema.foreignKeys.flatMap((key) => (key.to === table.id ? key.referencedColumns : [])),
  ])
  const column = random.pick(
    (facts.get(table.id) ?? []).filter(({ name, automatic }) => !automatic && !inKeys.has(name)),
  )
  const where = await someRow(context, table)
  if (column === undefined || where === undefined) return false
  const value = valueFor(column, random)
  if (value === undefined) return false
  return succeeds(
    connection.query(
      `UPDATE ${syntax.qualified(table)} SET ${syntax.ident(column.name)} = ${syntax.literal(value)} WHERE ${where}`,
    ),
  )
}

async function remove(context: Context, table: Table): Promise<boolean> {
  const where = await someRow(context, table)
  if (where === undefined) return false
  return succeeds(context.connection.query(`DELETE FROM ${context.syntax.qualified(table)} WHERE ${where}`))
}

/** A condition that matches exactly one row. */
async function someRow(context: Context, table: Table): Promise<string | undefined> {
  const { syntax, random } = context
  if (table.primaryKey.length === 0) return undefined
  const row = random.pick(await sample(context, table, table.primaryKey))
  return row
    ?.map((value, index) => `${syntax.ident(table.primaryKey[index] ?? '')} = ${syntax.literal(value ?? '')}`)
    .join(' AND ')
}

/** `false` instead of an error: a constraint may reject the statement, and the caller tries another row. */
async function succeeds(work: Promise<unknown>): Promise<boolean> {
  try {
    await work
    return true
  } catch {
    return false
  }
}
