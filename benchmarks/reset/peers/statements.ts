import type { ServerEngine } from '../../../src/server/server.ts'
import { type Client, connect } from '../../client.ts'
import { EVERYWHERE, type Method, type MethodContext } from '../method.ts'

type Issue = (client: Client, tables: readonly string[], database: string) => Promise<void>

/** The statements of another tool, in as many round trips as that tool takes. */
function statements(
  method: Pick<Method, 'id' | 'label' | 'source' | 'note'>,
  { postgres, mysql }: { postgres: Issue; mysql: Issue },
): Method {
  const byEngine: Record<ServerEngine, Issue> = { postgres, mysql, mariadb: mysql }
  return {
    ...method,
    kind: 'peer',
    engines: EVERYWHERE,
    async open(context) {
      const url = await context.database(method.id)
      const client = await connect(url)
      const tables = everyTable(context)
      const database = new URL(url).pathname.slice(1)
      return {
        url: () => url,
        reset: () => byEngine[context.engine](client, tables, database),
        close: () => client.close(),
      }
    },
  }
}

function everyTable({ tables, hasReference }: MethodContext): string[] {
  return hasReference ? [...tables, 'reference'] : [...tables]
}

const double = (name: string) => `"${name}"`
const back = (name: string) => `\`${name}\``

async function each(client: Client, all: readonly string[]): Promise<void> {
  for (const sql of all) await client.run(sql)
}

/** https://www.prisma.io/docs/orm/prisma-client/queries/crud#deleting-all-data-with-raw-sql--truncate */
export const prisma: Method = statements(
  {
    id: 'prisma',
    label: "Prisma's TRUNCATE recipe",
    source: 'statements of its documentation',
    note: 'by pg and mysql2, not by Prisma Client',
  },
  {
    async postgres(client) {
      const rows = await client.run(`SELECT tablename FROM pg_tables WHERE schemaname = 'public'`)
      const tables = rows.map(({ tablename }) => `"public"."${tablename}"`).filter(isNoMigration)
      await client.run(`TRUNCATE TABLE ${tables.join(', ')} CASCADE;`)
    },
    async mysql(client, _, database) {
      const rows = await client.run(
        `SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = '${database}'`,
      )
      const tables = rows.map(({ name }) => String(name)).filter(isNoMigration)
      const truncates = tables.map((table) => `TRUNCATE ${table};`)
      await each(client, [
        'BEGIN',
        'SET FOREIGN_KEY_CHECKS = 0;',
        ...truncates,
        'SET FOREIGN_KEY_CHECKS = 1;',
        'COMMIT',
      ])
    },
  },
)

const isNoMigration = (name: string) => !name.includes('_prisma_migrations')

/** PostgresDbAdapter.cs and MySqlAdapter.cs of jbogard/Respawn. */
export const respawn: Method = statements(
  { id: 'respawn', label: 'Respawn', source: 'statements of Respawn', note: 'WithReseed' },
  {
    async postgres(client, tables) {
      const names = tables.map((table) => `"public"."${table}"`)
      await client.run(`truncate table ${names.join(',')} cascade;`)
      await client.run(reseedSql(names))
    },
    async mysql(client, tables) {
      const deletes = tables.map((table) => `DELETE FROM ${back(table)};`)
      await client.run(['SET FOREIGN_KEY_CHECKS=0;', ...deletes, 'SET FOREIGN_KEY_CHECKS=1;'].join('\n'))
      await client.run(tables.map((table) => `ALTER TABLE ${back(table)} AUTO_INCREMENT = 1;`).join('\n'))
    },
  },
)

function reseedSql(names: readonly string[]): string {
  const sequence = `pg_get_serial_sequence(quote_ident(table_schema) || '.' || quote_ident(table_name), column_name)`
  return `CREATE OR REPLACE FUNCTION pg_temp.reset_sequence(seq text) RETURNS void AS $$
    BEGIN EXECUTE 'ALTER SEQUENCE ' || seq || ' RESTART;'; END; $$ LANGUAGE plpgsql;
    WITH all_sequences AS (
      SELECT ${sequence} AS sequence_name FROM information_schema.columns
      WHERE ${sequence} IS NOT NULL
        AND '"' || table_schema || '"."' || table_name || '"' IN (${names.map((name) => `'${name}'`).join(', ')}))
    SELECT pg_temp.reset_sequence(s.sequence_name) FROM all_sequences s;`
}

/** sql_flush of django/db/backends/*‍/operations.py (5.2), as the command `flush` calls it: reset_sequences=True. */
export const django: Method = statements(
  {
    id: 'django',
    label: 'Django flush',
    source: 'statements of Django',
    note: 'the command: reset_sequences=True',
  },
  {
    async postgres(client, tables) {
      await each(client, ['BEGIN', `TRUNCATE ${tables.map(double).join(', ')} RESTART IDENTITY;`, 'COMMIT'])
    },
    async mysql(client, tables) {
      const truncates = tables.map((table) => `TRUNCATE ${back(table)};`)
      await each(client, ['SET FOREIGN_KEY_CHECKS = 0;', ...truncates, 'SET FOREIGN_KEY_CHECKS = 1;'])
    },
  },
)

/** truncate_tables of activerecord/lib/active_record/connection_adapters, with its disable_referential_integrity. */
export const rails: Method = statements(
  { id: 'rails', label: 'Rails truncate_tables', source: 'statements of Rails' },
  {
    async postgres(client, tables) {
      const names = tables.map(double)
      const triggers = (what: string) =>
        names.map((name) => `ALTER TABLE ${name} ${what} TRIGGER ALL`).join(';')
      await each(client, ['BEGIN', triggers('DISABLE'), 'COMMIT'])
      await client.run(`TRUNCATE TABLE ${names.join(', ')}`)
      await each(client, ['BEGIN', triggers('ENABLE'), 'COMMIT'])
    },
    async mysql(client, tables) {
      await each(client, [
        'SELECT @@FOREIGN_KEY_CHECKS',
        'SET FOREIGN_KEY_CHECKS = 0',
        tables.map((table) => `TRUNCATE TABLE ${back(table)}`).join(';\n'),
        'SET FOREIGN_KEY_CHECKS = 1',
      ])
    },
  },
)
