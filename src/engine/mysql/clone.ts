import { AfreshError, messageOf, withCleanUp } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import type { CloneOptions } from '../databases.ts'
import { copyViews, whyInvalid } from './clone-views.ts'
import { connect } from './connection.ts'
import { largeRowsMessages, tableMessages } from './copy-messages.ts'
import { CopySessions, sessionsFor } from './copy-sessions.ts'
import type { CopySource } from './copy-source.ts'
import { frozenMark, sourceOf } from './copy-source-cache.ts'
import { createEach } from './create-each.ts'
import type { Definition } from './definitions.ts'
import { flavorOf } from './flavor-of.ts'
import { provision } from './provision.ts'
import { ident, literal } from './quote.ts'
import { urlOf } from './url.ts'

/** How a database is copied that other sessions use. */
interface InUse {
  /** Milliseconds to wait for the lock of another session. */
  readonly lockTimeoutMs: number
}

interface Names {
  readonly template: string
  readonly name: string
}

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
  inUse?: InUse,
): Promise<string> {
  const { url } = connection
  if (url === undefined) {
    throw new AfreshError('usage', 'A client cannot clone databases.', {
      next: 'Give afresh the URL of the server.',
    })
  }
  const clauses = await databaseClauses(connection, template)
  const failed = (cause: unknown): never => {
    if (cause instanceof AfreshError) throw cause
    throw new AfreshError('server', `Could not clone "${template}": ${messageOf(cause)}`, {
      next: 'Fix what it says in migrations or fixtures.',
      cause,
    })
  }
  const templateUrl = urlOf(url, template)
  const frozen = await frozenMark(connection, template)
  const reading = sourceOf(frozen, { url: templateUrl, template, programs })
  const opening = reading.then(({ tables }) => CopySessions.open(connection, url, sessionsFor(tables.length)))
  // `fill` reports it.
  opening.catch(() => {})
  const fill = async () => {
    const sessions = await opening
    await sessions.enter(name)
    if (inUse !== undefined) await sessions.readCommitted()
    await replayAll(sessions, await reading, { template, name, templateUrl, leftOut, ...inUse })
  }
  return withCleanUp(
    () => provision(connection, name, clauses, () => fill().catch(failed)),
    // They are opened while the database is created, whose failure may come first.
    () => opening.then((sessions) => sessions.close()).catch(() => {}),
  )
}

async function databaseClauses(connection: Connection, template: string): Promise<string> {
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
  const comment = row.comment === '' ? '' : ` COMMENT ${literal(String(row.comment))}`
  return `CHARACTER SET ${row.charset} COLLATE ${row.collation}${comment}`
}

interface Copy extends Names {
  readonly templateUrl: string
  readonly leftOut: (what: string) => void
  /** Default: that of `batch`. */
  readonly lockTimeoutMs?: number
}

/**
 * MariaDB fills an empty table in bulk where checks are off, as it does for a dump: indexes are sorted, and rows
 * need no undo log (https://mariadb.com/kb/en/how-to-quickly-insert-data-into-mariadb/).
 */
const ROW_SETTINGS = [{ name: 'unique_checks', value: '0' }]

async function replayAll(sessions: CopySessions, source: CopySource, copy: Copy): Promise<void> {
  const here = (definition: Definition) => renamed(definition, copy)
  const sqlOf = (definition: Definition) => here(definition).sql
  const to = sessions.first
  await sessions.run([source.sequences.map(sqlOf)])
  const tables = source.tables.map(({ definition, rows }) => ({ create: sqlOf(definition), rows }))
  const { lockTimeoutMs } = copy
  const options = { settings: ROW_SETTINGS, ...(lockTimeoutMs !== undefined && { lockTimeoutMs }) }
  await sessions.run(tableMessages(tables, sessions.count), options)
  await sessions.run(largeRowsMessages(tables), options)
  await sessions.run([source.counters])
  await createEach(to, source.routines.map(here))
  await copyViews(to, source.views, {
    renamed: here,
    leftOut: copy.leftOut,
    whyInvalid: (view) => inTemplate(copy.templateUrl, (connection) => whyInvalid(connection, view)),
  })
  await createEach(to, [...source.triggers, ...source.events].map(here))
}

async function inTemplate<T>(url: string, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await connect(url)
  return withCleanUp(
    () => work(connection),
    () => connection.close(),
  )
}

/** Qualified names in the template's own database become names in the clone. */
function renamed(definition: Definition, { template, name }: Names): Definition {
  return { ...definition, sql: definition.sql.replaceAll(`${ident(template)}.`, `${ident(name)}.`) }
}
