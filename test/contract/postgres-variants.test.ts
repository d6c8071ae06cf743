import { afterAll, beforeAll, describe } from 'vitest'
import { ask } from '../support/ask.ts'
import { describePgbouncer, type Pgbouncer, startPgbouncer } from '../support/pgbouncer.ts'
import { describeOn } from '../support/servers.ts'
import { contract } from './contract.ts'
import { onDatabaseOfOthers, onServer } from './targets.ts'

/** Settings of a role or a database, with which its sessions start. */
const SETTINGS: Readonly<Record<string, string>> = {
  idle_session_timeout: "'2s'",
  idle_in_transaction_session_timeout: "'2s'",
  transaction_timeout: "'2s'",
  statement_timeout: "'2s'",
  lock_timeout: "'1ms'",
  default_transaction_isolation: "'serializable'",
  default_transaction_deferrable: 'on',
  array_nulls: 'off',
  datestyle: "'SQL, DMY'",
  intervalstyle: "'sql_standard'",
  bytea_output: "'escape'",
  extra_float_digits: '-15',
  standard_conforming_strings: 'off',
  escape_string_warning: 'off',
  backslash_quote: 'on',
  timezone: "'Asia/Kathmandu'",
  xmloption: "'document'",
  quote_all_identifiers: 'on',
  transform_null_equals: 'on',
  row_security: 'off',
  check_function_bodies: 'on',
  client_min_messages: "'error'",
  plan_cache_mode: "'force_generic_plan'",
  default_toast_compression: "'pglz'",
  enable_seqscan: 'off',
  gin_fuzzy_search_limit: '1',
  password_encryption: "'md5'",
  synchronous_commit: 'off',
  exit_on_error: 'off',
  default_transaction_read_only: 'on',
}

/** The application's own statements may change data, and may take longer than 2 s on a busy machine. */
const APPLICATION = `SET default_transaction_read_only = off; SET lock_timeout = 0; SET statement_timeout = 0;
  SET transaction_timeout = 0; SET idle_session_timeout = 0`

/** Backslashes follow the setting of the session. */
const NOTES = `CREATE TABLE notes (note text); INSERT INTO notes VALUES ('it\\'s; so'), ('C:\\\\');`

describeOn('postgres:18', (server) => {
  describe('by a role with unusual session settings', () => {
    const role = 'odd_settings'
    beforeAll(async () => {
      await ask(server, `DROP ROLE IF EXISTS ${role}; CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD 'pw'`)
      for (const [name, value] of Object.entries(SETTINGS)) {
        await ask(server, `ALTER ROLE ${role} SET ${name} = ${value}`)
      }
    })
    const url = server.url.replace(/\/\/[^@]*@/, `//${role}:pw@`)
    contract(
      onServer(
        { ...server, url },
        {
          project: role,
          before: `SET default_transaction_read_only = off; ${NOTES}`,
          session: APPLICATION,
        },
      ),
    )
  })

  describe('by an unprivileged role in databases with unusual settings', () => {
    const role = 'odd_database'
    beforeAll(async () => {
      await ask(server, `DROP ROLE IF EXISTS ${role}; CREATE ROLE ${role} LOGIN CREATEDB PASSWORD 'pw'`)
    })
    const url = server.url.replace(/\/\/[^@]*@/, `//${role}:pw@`)
    const all = { ...SETTINGS, search_path: 'public, pg_catalog' }
    const settings = Object.entries(all).map(
      ([name, value]) =>
        `EXECUTE format('ALTER DATABASE %I SET ${name} = ${value.replaceAll("'", "''")}', current_database());`,
    )
    contract(
      onServer(
        { ...server, url },
        {
          project: role,
          before: `DO $$ BEGIN ${settings.join('\n')} END $$;`,
          session: APPLICATION,
          repairs: false,
        },
      ),
    )
  })

  describe('by a role that owns neither the database nor all tables', () => {
    const name = 'contract_stranger'
    beforeAll(async () => {
      await ask(server, `DROP DATABASE IF EXISTS contract_of_others WITH (FORCE)`)
      await ask(server, `DROP ROLE IF EXISTS ${name}; CREATE ROLE ${name} LOGIN PASSWORD 'pw'`)
    })
    afterAll(async () => {
      await ask(server, 'DROP DATABASE contract_of_others WITH (FORCE)')
    })
    contract(onDatabaseOfOthers(server, { name, url: server.url.replace(/\/\/[^@]*@/, `//${name}:pw@`) }))
  })

  describePgbouncer('by pgbouncer in session mode', () => {
    let bouncer: Pgbouncer | undefined
    beforeAll(async () => {
      bouncer = await startPgbouncer(server, 'session')
    })
    afterAll(() => bouncer?.[Symbol.asyncDispose]())
    const pooled = {
      engine: server.engine,
      get url() {
        return bouncer?.pooled.url ?? ''
      },
    }
    contract(onServer(pooled, { project: 'pooled' }))
  })
})
