import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeOn } from '../support/servers.ts'
import { Consumer, pack, type Ran, unpack } from './consumer.ts'

/** The number of tests per client. */
const TESTS = 6

let tarball: string
let consumer: Consumer

beforeAll(async () => {
  tarball = await pack()
  consumer = await Consumer.install('clients', tarball)
  // Generating the client needs no engine, but prisma looks for one.
  const prisma = await consumer.node('node_modules/prisma/build/index.js', ['generate'], {
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
  })
  if (prisma.exitCode !== 0) throw new Error(prisma.output)
})
afterAll(() => {
  consumer.remove()
  unpack(tarball)
})

function expectPassed({ exitCode, output }: Ran, clients: readonly string[]): void {
  expect(exitCode, output).toBe(0)
  for (const client of clients)
    expect(output).toMatch(new RegExp(`✓ .*/${client}\\.test\\.ts \\(${TESTS} tests\\)`))
  expect(output).toMatch(new RegExp(`Tests +${clients.length * TESTS} passed`))
}

describeOn('embedded:18', () => {
  it('the pools of every PostgreSQL client survive resets', async () => {
    const clients = [
      'pg',
      'postgres-js',
      'kysely',
      'drizzle',
      'knex',
      'typeorm',
      'sequelize',
      'mikro-orm',
      'prisma',
    ]
    expectPassed(await consumer.vitest(), clients)
  })
})

for (const id of ['mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, ({ url }) => {
    it('the pools of every client survive resets', async () => {
      const server = url.replace(/^mariadb:/, 'mysql:')
      expectPassed(await consumer.vitest({ AFRESH_TEST_SERVER: server }), [
        'mysql2',
        'knex-mysql',
        'sequelize',
      ])
    })
  })
}
