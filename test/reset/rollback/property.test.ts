import fc from 'fast-check'
import { expect, it } from 'vitest'
import { describeOn } from '../../support/servers.ts'
import { type Client, clientOf, codeOf, harnessOn, MYSQL, POSTGRES, type Row } from './support.ts'

const RUNS = 120

/** Statements that control transactions, and statements that show their effect. */
const COMMON = [
  'BEGIN',
  'BEGIN',
  'START TRANSACTION',
  'COMMIT',
  'COMMIT',
  'ROLLBACK',
  'ROLLBACK',
  'COMMIT AND CHAIN',
  'ROLLBACK AND CHAIN',
  'SAVEPOINT a',
  'SAVEPOINT b',
  'ROLLBACK TO SAVEPOINT a',
  'ROLLBACK TO b',
  'RELEASE SAVEPOINT a',
  'RELEASE SAVEPOINT b',
  `INSERT INTO log VALUES ('one')`,
  `INSERT INTO log VALUES ('COMMIT; ROLLBACK')`,
  `INSERT INTO users (name) VALUES ('Bert')`,
  `INSERT INTO users (name) VALUES ('Ada')`,
  `UPDATE users SET name = 'changed' WHERE id = 1`,
  'DELETE FROM log',
  'SELECT nonsense',
  'SELECT * FROM users ORDER BY id',
  'SELECT * FROM log ORDER BY line',
  'SELECT * FROM orders ORDER BY id',
]

const OWN = {
  postgres: [
    'END',
    'ABORT',
    'INSERT INTO orders (buyer) VALUES (1)',
    'INSERT INTO orders (buyer) VALUES (999)',
    'DELETE FROM orders WHERE buyer = 999',
    'SET CONSTRAINTS ALL DEFERRED',
    'SET CONSTRAINTS ALL IMMEDIATE',
  ],
  mysql: [
    'INSERT INTO orders (buyer) VALUES (1)',
    'INSERT INTO orders (buyer) VALUES (999)',
    'SET TRANSACTION ISOLATION LEVEL READ COMMITTED',
  ],
}

/** On MySQL a transaction that begins within a message keeps the savepoints of the previous one. */
const BEGINS = /BEGIN|START|CHAIN/

/** Messages of one or more statements. Some are sent before the response to the previous message. */
function scripts(statements: readonly string[], engine: keyof typeof OWN): fc.Arbitrary<string[][]> {
  const statement = fc.constantFrom(...statements)
  const following = statement.filter((sql) => engine === 'postgres' || !BEGINS.test(sql))
  const message = fc.oneof(
    { weight: 5, arbitrary: statement },
    {
      weight: 1,
      arbitrary: fc
        .tuple(statement, fc.array(following, { minLength: 1, maxLength: 3 }))
        .map(([first, others]) => [first, ...others].join('; ')),
    },
  )
  const group = fc.oneof(
    { weight: 3, arbitrary: fc.tuple(message) },
    { weight: 1, arbitrary: fc.array(message, { minLength: 2, maxLength: 4 }) },
  )
  return fc.array(group, { minLength: 1, maxLength: 14 })
}

type Answer = { readonly rows: Row[] } | { readonly failed: string }

async function play(client: Client, script: readonly (readonly string[])[]): Promise<Answer[]> {
  const answers: Answer[] = []
  for (const group of script) {
    const sent = group.map((message) =>
      client.run(message).then(
        (rows): Answer => ({ rows: Array.isArray(rows) ? rows : [] }),
        (error: unknown): Answer => ({ failed: codeOf(error) }),
      ),
    )
    answers.push(...(await Promise.all(sent)))
  }
  return answers
}

const LOOK = ['users', 'orders', 'log'].map((table) => [`SELECT * FROM ${table} ORDER BY 1`])

for (const id of [...POSTGRES, ...MYSQL]) {
  describeOn(id, (server) => {
    const engine = server.engine === 'postgres' ? 'postgres' : 'mysql'

    it(`responds like a server without rollback, ${RUNS} times`, {
      timeout: 300_000,
    }, async () => {
      await using harness = await harnessOn(server)
      await using database = await harness.lease()
      await using twin = await harness.lease()
      await using client = await clientOf(server, database)
      await using plain = await clientOf(server, twin)
      let held = 0
      await fc.assert(
        fc.asyncProperty(scripts([...COMMON, ...OWN[engine]], engine), async (script) => {
          await database.begin(client.handle)
          const answers = await play(client, script)
          const seen = await play(client, [['ROLLBACK'], ...LOOK])
          const report = await database.reset()
          const expected = await play(plain, script)
          const expectedSeen = await play(plain, [['ROLLBACK'], ...LOOK])
          await twin.reset()
          expect(answers).toEqual(expected)
          expect(seen).toEqual(expectedSeen)
          expect(report.rollback).toEqual({ held: true, lost: undefined, escaped: [] })
          expect(await database.verify()).toEqual([])
          held++
        }),
        { numRuns: RUNS },
      )
      expect(held).toBeGreaterThanOrEqual(RUNS)
    })
  })
}
