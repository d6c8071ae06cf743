/** Embedded: a cluster is built from a kept one that has the beginning of its migrations. */
import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { createHarness, embedded, type HarnessOptions } from '../../src/index.ts'
import { until } from '../server/child.ts'
import { ask } from '../support/ask.ts'
import { describeOn } from '../support/servers.ts'
import { keptProject } from './kept-project.ts'

const { cache, folder, kept, lines, start, withCache, write } = keptProject((path) => ({
  'migrations/1.sql': `COPY (SELECT '1') TO PROGRAM 'cat >> ${path}/runs';
    CREATE ROLE of_migrations; CREATE TABLE items (id int PRIMARY KEY);`,
}))

/** Takes so long that the cluster is kept before fixtures are loaded. */
const slow = () => write('migrations/2.sql', `${counted('2')}; SELECT pg_sleep(1.1)`)
const counted = (name: string) => `COPY (SELECT '${name}') TO PROGRAM 'cat >> ${folder()}/runs'`
const equal = '{"differences":0}'

/** What a copy of the baseline contains, and the templates on its server. */
async function build(options: HarnessOptions = {}) {
  const server = embedded()
  await using harness = await createHarness({
    ...{ server, migrate: 'migrations', cwd: folder(), project: 'kept' },
    ...options,
  })
  await using database = await harness.lease()
  const [row] = await ask(
    { engine: 'postgres', url: database.url },
    `SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM items) AS ids,
       (SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname LIKE 'of\\_%') AS roles,
       (SELECT count(*)::int FROM pg_database WHERE datname LIKE 'afresh\\_kept\\_t\\_%') AS templates`,
  )
  return row
}

describeOn('embedded:18', () => {
  it('starts from the cluster with the earlier migrations, roles included, once for many processes', async () => {
    expect(await start().ended).toContain(equal)
    write('migrations/2.sql', `${counted('2')}; CREATE ROLE of_second; GRANT of_migrations TO of_second`)
    const output = await Promise.all([start(), start(), start()].map(({ ended }) => ended))
    for (const text of output) expect(text).toContain(equal)
    expect(lines()).toEqual(['1', '2'])
    expect(output.filter((text) => text.includes('{"phase":"continue"}'))).toHaveLength(1)
    await using environment = withCache()
    expect(environment).toBeDefined()
    expect(await build()).toEqual({ ids: null, roles: 'of_migrations of_second', templates: 1 })
    expect(kept()).toHaveLength(2)
  })

  it('keeps what slow migrations made without what fixtures did, and continues there', async () => {
    await using environment = withCache()
    expect(environment).toBeDefined()
    slow()
    // Fails on a cluster where it ran before.
    write('fixtures/1.sql', 'CREATE ROLE of_fixtures; INSERT INTO items VALUES (1)')
    const fixtures = 'fixtures'
    expect(await build({ fixtures })).toEqual({ ids: '1', roles: 'of_fixtures of_migrations', templates: 1 })
    write('fixtures/1.sql', 'CREATE ROLE of_fixtures; INSERT INTO items VALUES (2)')
    expect(await build({ fixtures })).toEqual({ ids: '2', roles: 'of_fixtures of_migrations', templates: 1 })
    expect(lines()).toEqual(['1', '2'])
    write('migrations/3.sql', `${counted('3')}; INSERT INTO items VALUES (3)`)
    expect(await build({ fixtures })).toMatchObject({ ids: '2 3', templates: 1 })
    expect(lines()).toEqual(['1', '2', '3'])
    expect(await build()).toEqual({ ids: '3', roles: 'of_migrations', templates: 1 })
    // The third runs again unless it took long, on a busy machine.
    expect(lines().filter((line) => line !== '3')).toEqual(['1', '2'])
  })

  it('keeps the migrations when the fixtures are a function, which runs every time', async () => {
    await using environment = withCache()
    expect(environment).toBeDefined()
    let calls = 0
    const fixtures = async ({ url }: { url: string }) => {
      calls++
      await ask({ engine: 'postgres', url }, `INSERT INTO items VALUES (${calls})`)
    }
    for (const ids of ['1', '2']) expect(await build({ fixtures })).toMatchObject({ ids })
    expect([lines(), calls]).toEqual([['1'], 2])
  })

  it('keeps a layer of a build that fails afterwards, and nothing that a killed one left unfinished', async () => {
    slow()
    write('fixtures/1.sql', 'INSERT INTO nowhere VALUES (1)')
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(await start().ended).toMatch(/"code":"baseline".*fixtures\/1\.sql:1/)
    }
    expect(lines()).toEqual(['1', '2'])
    expect(kept()).toHaveLength(1)

    write('fixtures/1.sql', `INSERT INTO items VALUES (1)`)
    write('migrations/3.sql', `${counted('3')}; SELECT pg_sleep(2)`)
    const killed = start()
    await until(() => lines().length === 3, 60_000)
    killed.child.kill('SIGKILL')
    await killed.ended
    expect(kept()).toHaveLength(1)
    expect(await start().ended).toContain(equal)
    expect(lines()).toEqual(['1', '2', '3', '3'])
    expect(kept()).toHaveLength(3)
    await until(() => readdirSync(cache()).every((name) => !/building|lock/.test(name)), 60_000)
  })
})
