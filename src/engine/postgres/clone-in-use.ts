import type { Socket } from 'node:net'
import { withUndo } from '../../errors.ts'
import type { Plan } from '../../plan/plan.ts'
import { type Schema, type SubjectId, type Table, tableOf } from '../../schema/schema.ts'
import type { Connection } from '../connection.ts'
import type { DatabaseInUse, Databases } from '../databases.ts'
import { newMark } from '../ownership-mark.ts'
import { readCatalog } from './catalog.ts'
import { connect } from './connection.ts'
import { copyBetween, copyTargetOf } from './copy-in.ts'
import { ownership, proofStatement } from './ownership.ts'
import { ident, literal, only, qualified } from './quote.ts'
import { READABLE, settingsSql } from './settings.ts'
import { triggerSuspensionsOf } from './suspend-triggers.ts'
import { urlOf } from './url.ts'
import { inOrderOfReading, isView } from './view-order.ts'

/**
 * The server copies no database that has sessions. The copy is made of the template, and gets the rows of the tables
 * that differ. Its mark says that it is unfinished until it has them.
 */
export async function cloneInUse(
  { clone, drop }: Pick<Databases, 'clone' | 'drop'>,
  admin: Connection,
  source: DatabaseInUse,
  name: string,
): Promise<string> {
  const { url } = source.connection
  if (url === undefined) throw new TypeError('a client of the user cannot be copied from')
  let mark = await clone(admin, source.template, name)
  return withUndo(
    () =>
      withConnection(urlOf(url, name), async (copy) => {
        const identity = await ownership.expected(copy)
        mark = await ownership.write(copy, newMark(identity, 'unfinished'))
        // A session of its own: after a failure in the middle of a COPY, it is of no use any more.
        await withConnection(url, (from) => copyDirty(source, { from, copy, mark }))
        mark = await ownership.write(copy, newMark(identity, 'made'))
        return mark
      }),
    () => drop(admin, name, mark),
  )
}

async function withConnection<T>(url: string, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await connect(url)
  try {
    const result = await work(connection)
    await connection.close()
    return result
  } catch (error) {
    // A COPY that was not read to its end would keep `close` waiting.
    abandon(connection)
    throw error
  }
}

/** Missing from the types of `pg`. */
function abandon(connection: Connection): void {
  const target = copyTargetOf(connection)
  if (target.kind !== 'stream') return
  const { connection: wire } = target.client as unknown as { connection: { stream: Socket } }
  wire.stream.destroy()
}

interface Sessions {
  readonly from: Connection
  readonly copy: Connection
  /** Of the copy. */
  readonly mark: string
}

async function copyDirty(source: DatabaseInUse, { from, copy, mark }: Sessions): Promise<void> {
  const { schema, mode, dirty, lockTimeoutMs } = source
  const changed = await inOrderOfReading(copy, tablesIn(schema, dirty))
  const views = changed.filter(isView)
  const tables = changed.filter((table) => !isView(table))
  const ids = tables.map(({ id }) => id)
  const triggers = await triggerSuspensionsOf(copy, schema, { mode, order: [ids], populated: ids })
  const keys = mode === 'ordered' ? await foreignKeysOf(copy, ids) : NONE
  const suspended = [...triggers.of.values()]
  // A foreign key that is NOT VALID is in both lists.
  const before = new Set([...keys.before, ...suspended.flatMap((each) => each.before)])
  const after = new Set([...suspended.flatMap((each) => each.after), ...keys.after])
  const settings = settingsSql('SET LOCAL', [...READABLE, ['lock_timeout', String(lockTimeoutMs)]])
  await from.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${settings}`)
  await copy.query(['BEGIN', proofStatement({ mark }), ...modeSettings(mode), ...before].join(';'))
  for (const table of tables) await copyTable(from, copy, table)
  const positions = (await positionsOf(from, schema, dirty)) ?? []
  await copy.query([positions, ...after, ...views.map(refresh), 'COMMIT'].flat().join(';'))
  await from.query('COMMIT')
}

function tablesIn(schema: Schema, dirty: readonly SubjectId[]): Table[] {
  const known = new Set(schema.tables.map(({ id }) => id))
  return dirty.filter((id) => known.has(id)).map((id) => tableOf(schema, id))
}

function refresh(view: Table): string {
  return `REFRESH MATERIALIZED VIEW ${qualified(view)}`
}

/** Both sessions write and read each value in the same text form. Names in constraints are resolved as for users. */
function modeSettings(mode: Plan['mode']): string[] {
  return [
    settingsSql('SET LOCAL', READABLE),
    'SET LOCAL search_path TO DEFAULT',
    ...(mode === 'unchecked' ? ['SET LOCAL session_replication_role = replica'] : []),
  ]
}

const NONE = { before: [], after: [] }

/** Statements that drop the foreign keys from and to these tables, and create them again. */
async function foreignKeysOf(
  copy: Connection,
  ids: readonly string[],
): Promise<{ readonly before: readonly string[]; readonly after: readonly string[] }> {
  if (ids.length === 0) return NONE
  const tables = `(${ids.join(', ')})`
  const rows = await readCatalog(
    copy,
    `SELECT n.nspname AS schema, c.relname AS name, k.conname AS key, pg_catalog.pg_get_constraintdef(k.oid) AS definition
    FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE k.contype = 'f' AND k.conparentid = 0 AND (k.conrelid IN ${tables} OR k.confrelid IN ${tables})`,
  )
  const keys = rows.map(({ schema, name, key, definition }) => ({
    table: qualified({ schema: String(schema), name: String(name) }),
    key: ident(String(key)),
    definition: String(definition),
  }))
  return {
    before: keys.map(({ table, key }) => `ALTER TABLE ${table} DROP CONSTRAINT ${key}`),
    after: keys.map(
      ({ table, key, definition }) => `ALTER TABLE ${table} ADD CONSTRAINT ${key} ${definition}`,
    ),
  }
}

async function copyTable(from: Connection, to: Connection, table: Table): Promise<void> {
  await to.query(`DELETE FROM ${only(table)}`)
  const columns = table.columns.filter(({ generated }) => !generated).map(({ name }) => ident(name))
  const list = columns.join(', ')
  // A table may have only columns that the server computes.
  const into = list === '' ? qualified(table) : `${qualified(table)} (${list})`
  await copyBetween(from, `SELECT ${list} FROM ${only(table)}`, to, into)
}

/** A statement that moves the sequences to where they are in the source; `undefined` if none has moved. */
async function positionsOf(
  from: Connection,
  schema: Schema,
  dirty: readonly SubjectId[],
): Promise<string | undefined> {
  const changed = schema.sequences
    .filter(({ id }) => dirty.includes(id))
    .map((sequence) => qualified(sequence))
  if (changed.length === 0) return undefined
  const positions = await from.query(
    changed
      .map(
        (name) =>
          `SELECT ${literal(name)} AS name, last_value::text AS value, is_called AS called FROM ${name}`,
      )
      .join(' UNION ALL '),
  )
  const calls = positions.map(
    ({ name, value, called }) =>
      `pg_catalog.setval(${literal(String(name))}::pg_catalog.regclass, ${value}, ${called === true})`,
  )
  return `SELECT ${calls.join(', ')}`
}
