import type { Names } from '../connection.ts'

/** A setting of a session and its value, as SQL. */
export type Setting = readonly [name: string, value: string]

/** Every row is seen, or an error says why not; every value is written in one way and can be read again. */
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

/** `SET` for a session of our own; `SET LOCAL` ends with the message that it is sent in. */
export function settingsSql(how: 'SET' | 'SET LOCAL', settings: readonly Setting[]): string {
  return settings.map(([name, value]) => `${how} ${name} = ${value}`).join('; ')
}

/**
 * Names in afresh's own SQL mean the server's functions, operators, types and casts, whatever a user's schema holds and
 * wherever it stands in the database's `search_path`. Extensions add operators, too (intarray: `@>`).
 */
export const SERVER_NAMES: Setting = ['search_path', 'pg_catalog, pg_temp']

/**
 * What a session of afresh's own has, whatever the server, database or role sets: it ends with its connection and not
 * before, since the lease is a lock that it holds; and it may write. `transaction_timeout` is there from 17 on.
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
 * A statement whose client was killed ends within a second, CREATE DATABASE among them; the servers of some systems cannot
 * look and refuse the setting. https://www.postgresql.org/docs/current/runtime-config-connection.html
 */
const NOTICE_LOST_CLIENT = `CASE WHEN pg_catalog.strpos(pg_catalog.version(), 'linux') OPERATOR(pg_catalog.>) 0
  THEN pg_catalog.set_config('client_connection_check_interval', '1000', false) END`

/** Event triggers would log, or refuse, what a reset does to tables of its session: off where that may be said, from 17 on. */
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
 * One query that gives a session of afresh's own its settings.
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
