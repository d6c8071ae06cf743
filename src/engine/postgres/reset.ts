import { AfreshError } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import type { Program, Resetter } from '../resetter.ts'
import { readCatalog } from './catalog.ts'
import { noteRole } from './client-role.ts'
import { deferredTablesOf } from './deferred-rows.ts'
import { functionsSql, programSql, type Session } from './program.ts'
import { refuseRefusedRows } from './refused-rows.ts'
import { callerOf, resetSettings } from './reset-settings.ts'
import { PostgresResetter } from './resetter.ts'
import { settingsSql } from './settings.ts'
import { refuseDenied, triggerSuspensionsOf } from './suspend-triggers.ts'
import { userFunctionsOf } from './user-functions.ts'
import { type WalAccess, walAccessOf } from './wal-reader.ts'

/** The name of a finding that sessions share: up to how many bytes of WAL are read rather than all tables. */
const BREAK_EVEN = 'break-even bytes'

/** Captures the baseline and creates the session's program; each reset is then one function call. */
export async function prepare(connection: Connection, program: Program): Promise<Resetter> {
  await noteRole(connection)
  const suspensions = await triggerSuspensionsOf(connection, program.schema, program.plan)
  refuseDenied(suspensions)
  if (program.template === undefined && program.before === undefined)
    await refuseRefusedRows(connection, program.schema, program.plan)
  const functions = await userFunctionsOf(connection)
  const settings = resetSettings(program)
  if (connection.owned) await connection.query(settingsSql('SET', settings))
  const call = callerOf(connection, settings)
  const { database, version } = await readServer(connection)
  const journal = await walAccessOf(connection, program, database)
  refuseMissing(program, journal)
  const deferred = await deferredTablesOf(connection, program)
  const session = { suspensions, functions, journal, owned: connection.owned, database, version, deferred }
  const known = program.findings?.get(BREAK_EVEN)
  const [measured] = await call(programSql(program, session, known))
  const breakEvenBytes = known ?? String(measured?.break_even_bytes)
  if (journal.readable) program.findings?.set(BREAK_EVEN, breakEvenBytes)
  await call(functionsSql(program, session, breakEvenBytes))
  return new PostgresResetter({ connection, program, journal, call })
}

async function readServer(connection: Connection): Promise<Pick<Session, 'database' | 'version'>> {
  const [row] = await readCatalog(
    connection,
    `SELECT oid::text, pg_catalog.current_setting('server_version_num')::int AS version
    FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()`,
  )
  return { database: String(row?.oid), version: Number(row?.version) }
}

function refuseMissing({ detector }: Program, journal: WalAccess): void {
  if (detector !== 'wal' || journal.readable) return
  throw new AfreshError('usage', `The detector "wal" is unavailable here: ${journal.why}.`, {
    next: 'Leave the choice to "auto", or connect as a superuser to PostgreSQL 16 or later.',
  })
}
