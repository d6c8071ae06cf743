import type { ExampleClient } from '../engine-server.ts'

const INSERT = `INSERT INTO users (name) VALUES ('Bert')`

const ON_POSTGRES = {
  userTables: `table_schema NOT IN ('pg_catalog', 'information_schema')`,
  databaseName: 'current_database()',
  isTrue: 'true',
  addBert: (client: ExampleClient) => [client.query(`${INSERT} RETURNING id`)],
}

/** A test that changes the schema may cause afresh to recreate the database, which cuts idle connections. */
const LISTENER = "pool.on('error', () => {}) // afresh may cut idle connections; without a listener pg throws"

export const exampleClients: Readonly<Record<string, ExampleClient>> = {
  pg: {
    ...ON_POSTGRES,
    import: ['pg', 'pg'],
    open: (url) => `const pool = new pg.Pool({ connectionString: ${url} })\n${LISTENER}`,
    end: 'pool.end()',
    run: (sql) => `await pool.query(\`${sql}\`)`,
    query: (sql) => `const { rows } = await pool.query(\`${sql}\`)`,
  },
  postgres: {
    ...ON_POSTGRES,
    import: ['postgres', 'postgres'],
    open: (url) => `const sql = postgres(${url})`,
    end: 'sql.end()',
    run: (sql) => `await sql\`${sql}\``,
    query: (sql) => `const rows = await sql\`${sql}\``,
  },
}
