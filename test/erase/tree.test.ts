import { expect, it } from 'vitest'
import { attach, createHarness, existing, type TestDatabase } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { describeOn, engines } from '../support/servers.ts'
import { describeSqlite } from '../support/sqlite.ts'

/** Each row refers to the previous one: the depth is the number of rows. */
const LEVELS = 100_000

const NUMBERS = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${LEVELS})`
const schema = (onDelete: string) => [
  `CREATE TABLE chain (id integer PRIMARY KEY, above integer REFERENCES_ chain (id) ON DELETE ${onDelete})`,
  'CREATE INDEX chain_above ON chain (above)',
]
const FILL = {
  postgres: [`INSERT INTO chain SELECT i, nullif(i - 1, 0) FROM generate_series(1, ${LEVELS}) AS i`],
  mysql: [
    `SET SESSION cte_max_recursion_depth = ${LEVELS + 1}`,
    `INSERT INTO chain ${NUMBERS} SELECT i, nullif(i - 1, 0) FROM n`,
  ],
  mariadb: [
    `SET SESSION max_recursive_iterations = ${LEVELS + 1}`,
    `INSERT INTO chain ${NUMBERS} SELECT i, nullif(i - 1, 0) FROM n`,
  ],
  sqlite: [`${NUMBERS} INSERT INTO chain SELECT i, nullif(i - 1, 0) FROM n`],
}

const scriptFor = (engine: keyof typeof FILL, onDelete: string) =>
  [...schema(onDelete), ...FILL[engine]].join('; ').replace(
    'REFERENCES_',
    // MySQL reads column-level REFERENCES only from version 9 on.
    engine === 'postgres' || engine === 'sqlite' ? 'REFERENCES' : ', FOREIGN KEY (above) REFERENCES',
  )

async function expectGone(database: TestDatabase): Promise<void> {
  const rest = await database.erase('chain', [50_001], { cascade: 'follow' })
  expect(rest).toMatchObject({ rows: LEVELS - 50_000 })
  const marked = await database.erase('chain', [2], { cascade: 'follow', dryRun: true })
  expect(marked.rows).toBe(49_999)
  expect(await database.erase('chain', [1], { cascade: 'follow' })).toMatchObject({ rows: 50_000 })
}

for (const { id } of engines.filter((engine) => !/^embedded|:(17|15|10\.11)$/.test(engine.id))) {
  describeOn(id, (server) => {
    it.each(['CASCADE', 'RESTRICT'])('follows 100,000 levels, ON DELETE %s', async (onDelete) => {
      await using harness = await createHarness({
        server: existing(server.url),
        migrate: ({ url }) => ask({ ...server, url }, scriptFor(server.engine, onDelete)).then(() => {}),
      })
      await using database = await harness.lease()
      await expectGone(database)
    })
  })
}

describeSqlite(({ open }) => {
  it.each(['CASCADE', 'RESTRICT'])('follows 100,000 levels, ON DELETE %s', async (onDelete) => {
    const client = open(':memory:')
    client.exec(scriptFor('sqlite', onDelete))
    await using database = await attach(client)
    await expectGone(database)
  })
})
