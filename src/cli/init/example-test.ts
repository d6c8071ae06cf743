import type { Client } from './choices.ts'
import type { RunnerName } from './project-info.ts'

/** What the example test looks at: the rows of the example migration, somebody's tables, or just whose database it is. */
export type Subject = 'users' | 'tables' | 'database'

export interface TestParts {
  readonly client: Client
  readonly runner: RunnerName
  readonly isTypeScript: boolean
  /** Whether it is loaded with `require`. */
  readonly isCommonJs: boolean
  readonly subject: Subject
}

/** A test that passes at once, and shows what a test may count on. */
export function exampleTest(parts: TestParts): string {
  const client = CLIENTS[parts.client]
  const runner = RUNNERS[parts.runner]
  const load = ([name, from]: Import) =>
    parts.isCommonJs ? `const ${name} = require('${from}')` : `import ${name} from '${from}'`
  const url = `process.env.DATABASE_URL${parts.isTypeScript ? " ?? ''" : ''}`
  return `${[client.import, ...runner.imports].map(load).join('\n')}

${client.open(url)}
${runner.after}(() => ${client.end})

${SUBJECTS[parts.subject](client, runner)}
`
}

type Import = readonly [names: string, from: string]

interface RunnerText {
  readonly imports: readonly Import[]
  /** Its hook for the end of a file. */
  readonly after: string
  /** That the only row is this one. */
  rowIs(column: string, value: string): string
}

const WITH_EXPECT = {
  after: 'afterAll',
  rowIs: (column: string, value: string) => `expect(rows).toEqual([{ ${column}: ${value} }])`,
}

const RUNNERS: Readonly<Record<RunnerName, RunnerText>> = {
  vitest: { ...WITH_EXPECT, imports: [['{ afterAll, expect, test }', 'vitest']] },
  jest: { ...WITH_EXPECT, imports: [['{ afterAll, expect, test }', '@jest/globals']] },
  'node:test': {
    imports: [
      ['assert', 'node:assert/strict'],
      ['{ after, test }', 'node:test'],
    ],
    after: 'after',
    rowIs: (column, value) => `assert.equal(rows[0].${column}, ${value})`,
  },
}

interface ClientText {
  readonly import: Import
  open(url: string): string
  readonly end: string
  run(sql: string): string
  /** The rows of a query, as `rows`. */
  query(sql: string): string
  readonly userTables: string
  readonly databaseName: string
  readonly isTrue: string
  /** Adds Bert and finds his id. */
  addBert(client: ClientText): readonly string[]
}

const INSERT = `INSERT INTO users (name) VALUES ('Bert')`

const ON_POSTGRES = {
  userTables: `table_schema NOT IN ('pg_catalog', 'information_schema')`,
  databaseName: 'current_database()',
  isTrue: 'true',
  addBert: (client: ClientText) => [client.query(`${INSERT} RETURNING id`)],
}

/** A test that changes the schema may have the database made again, which cuts idle connections. */
const LISTENER = "pool.on('error', () => {}) // afresh may cut idle connections; without a listener pg throws"

const CLIENTS: Readonly<Record<Client, ClientText>> = {
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
  mysql2: {
    import: ['mysql', 'mysql2/promise'],
    open: (url) => `const pool = mysql.createPool(${url})`,
    end: 'pool.end()',
    run: (sql) => `await pool.query(\`${sql}\`)`,
    query: (sql) => `const [rows] = await pool.query(\`${sql}\`)`,
    userTables: 'table_schema = database()',
    databaseName: 'database()',
    isTrue: '1',
    addBert: (client) => [client.run(INSERT), client.query('SELECT max(id) AS id FROM users')],
  },
}

const SUBJECTS: Readonly<Record<Subject, (client: ClientText, runner: RunnerText) => string>> = {
  users: (client, runner) => `for (const round of ['first', 'second']) {
  test(\`every test finds Ada alone, and the next id is 2 (\${round})\`, async () => {
    ${client.addBert(client).join('\n    ')}
    ${runner.rowIs('id', '2')}
    ${client.run(`UPDATE users SET name = 'changed' WHERE id = 1`)}
  })
}`,
  tables: (client, runner) => `test('the migrations have been run', async () => {
  ${client.query(`
    SELECT count(*) > 0 AS migrated FROM information_schema.tables
    WHERE ${client.userTables}
  `)}
  ${runner.rowIs('migrated', client.isTrue)}
})`,
  database: (client, runner) => `test('the database is one of the tests alone', async () => {
  ${client.query(`SELECT ${client.databaseName} LIKE 'afresh%' AS ours`)}
  ${runner.rowIs('ours', client.isTrue)}
})`,
}
