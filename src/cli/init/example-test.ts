import type { ExampleClient } from '../../engine/engine-server.ts'
import { SERVERS, type ServerEngine } from '../../engine/registry.ts'
import type { RunnerName } from './project-info.ts'

/** What the example test checks: example rows, existing tables, or only which database it uses. */
export type Subject = 'users' | 'tables' | 'database'

export interface TestParts {
  readonly engine: ServerEngine
  /** One of the engine's clients. */
  readonly client: string
  readonly runner: RunnerName
  readonly isTypeScript: boolean
  /** Whether the test is loaded with `require`. */
  readonly isCommonJs: boolean
  readonly subject: Subject
}

/** A test that passes at once, and shows what tests can rely on. */
export function exampleTest(parts: TestParts): string {
  const client = SERVERS[parts.engine].project.clients[parts.client]
  if (client === undefined) throw new Error(`no example for ${parts.client}`)
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
  /** The name of the runner's hook for the end of a file. */
  readonly after: string
  /** Code that asserts that the only row has this value. */
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
  mocha: {
    imports: [
      ['assert', 'node:assert/strict'],
      ['{ after, it as test }', 'mocha'],
    ],
    after: 'after',
    rowIs: (column, value) => `assert.equal(rows[0].${column}, ${value})`,
  },
}

const SUBJECTS: Readonly<Record<Subject, (client: ExampleClient, runner: RunnerText) => string>> = {
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
