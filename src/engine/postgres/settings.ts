import type { Names } from '../connection.ts'

/** A session setting and its value, as SQL. */
export type Setting = readonly [name: string, value: string]

/** All rows are visible, or an error says why not. Each value has one text form, which can be read back. */
export const READABLE: readonly Setting[] = [
  ['row_security', 'off'],
  ['extra_float_digits', '1'],
  ['datestyle', 'ISO'],
  ['intervalstyle', 'postgres'],
  ['bytea_output', 'hex'],
  ['timezone', 'UTC'],
  ['xmloption', 'content'],
  ['array_nulls', 'on'],
]

/** `SET` for afresh's own session; `SET LOCAL` ends with the message that contains it. */
export function settingsSql(how: 'SET' | 'SET LOCAL', settings: readonly Setting[]): string {
  return settings.map(([name, value]) => `${how} ${name} = ${value}`).join('; ')
}

/**
 * Names in afresh's own SQL resolve to the server's functions, operators, types and casts, whatever users'
 * schemas contain and wherever they are in the database's `search_path`. Extensions add operators too
 * (intarray: `@>`).
 */
export const SERVER_NAMES: Setting = ['search_path', 'pg_catalog, pg_temp']

/**
 * Settings of afresh's own sessions, whatever the server, database or role sets. A session must not end
 * before its connection, since the lease is a lock that it holds, and it must be able to write.
 * `transaction_timeout` exists from 17 on.
 */
const OWN_SETTINGS: readonly Setting[] = [
  ['idle_session_timeout', '0'],
  ['idle_in_transaction_session_timeout', '0'],
  ['transaction_timeout', '0'],
  ['statement_timeout', '0'],
  ['lock_timeout', '0'],
  ['default_transaction_read_only', 'off'],
  ['default_transaction_isolation', 'read committed'],
  ['array_nulls', 'on'],
]

/**
 * Ends a statement, CREATE DATABASE included, within a second after its client was killed. Servers on some
 * operating systems cannot check the connection, and reject the setting.
 * https://www.postgresql.org/docs/current/runtime-config-connection.html
 */
const NOTICE_LOST_CLIENT = `CASE WHEN pg_catalog.strpos(pg_catalog.version(), 'linux') OPERATOR(pg_catalog.>) 0
  THEN pg_catalog.set_config('client_connection_check_interval', '1000', false) END`

/**
 * Event triggers would log or reject what a reset does to temporary tables. Superusers can disable them from
 * 17 on.
 */
const NO_EVENT_TRIGGERS = `CASE WHEN pg_catalog.current_setting('event_triggers', true) IS NOT NULL
  AND pg_catalog.current_setting('is_superuser') OPERATOR(pg_catalog.=) 'on'
  THEN pg_catalog.set_config('event_triggers', 'off', false) END`

const NAMES: Readonly<Record<Names, string>> = {
  server: `pg_catalog.set_config('search_path', '${SERVER_NAMES[1]}', false), ${NO_EVENT_TRIGGERS}`,
  user: 'NULL',
  both: `pg_catalog.set_config('search_path',
    pg_catalog.concat_ws(', ', 'pg_catalog', CASE WHEN pg_catalog.current_setting('search_path') OPERATOR(pg_catalog.<>) ''
      THEN pg_catalog.current_setting('search_path') END), false)`,
}

/**
 * One query that applies the settings of afresh's own session.
 *
 * @param names see `ConnectOptions`
 */
export function ownSettingsSql(names: Names): string {
  const known = OWN_SETTINGS.map(
    ([name, value]) => `CASE WHEN pg_catalog.current_setting('${name}', true) IS NOT NULL
      THEN pg_catalog.set_config('${name}', '${value}', false) END`,
  )
  return `SELECT ${[...known, NAMES[names], NOTICE_LOST_CLIENT].join(', ')}`
}
