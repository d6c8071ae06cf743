/** Embedded: the server's files are kept with the template, so that unchanged migrations run once. */
import { chmodSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createHarness, embedded } from '../../src/index.ts'
import { until } from '../server/child.ts'
import { ask } from '../support/ask.ts'
import { describeOn } from '../support/servers.ts'
import { keptProject } from './kept-project.ts'

const { cache, folder, kept, runs, start, withCache } = keptProject((path) => ({
  'migrations/1.sql': `COPY (SELECT 'run') TO PROGRAM 'cat >> ${path}/runs';
     CREATE ROLE reader; CREATE TABLE items (id serial PRIMARY KEY, name text);
     INSERT INTO items (name) SELECT 'item ' || n FROM generate_series(1, 100) AS n; GRANT SELECT ON items TO reader;`,
}))

describeOn('embedded:18', () => {
  it('runs migrations once for many processes at the same time; the others wait with a message', async () => {
    const output = await Promise.all([start(), start(), start(), start()].map(({ ended }) => ended))
    for (const text of output) expect(text).toContain('{"differences":0}')
    expect(output.join('')).toContain('{"phase":"wait"}')
    expect(runs()).toBe(1)
    expect(await start().ended).toContain('{"differences":0}')
    expect(runs()).toBe(1)
    expect(readdirSync(cache()).filter((name) => /building|lock/.test(name))).toEqual([])
  })

  it('keeps nothing of a build that was killed, or that failed', async () => {
    const killed = start()
    await until(() => runs() > 0, 60_000)
    killed.child.kill('SIGKILL')
    await killed.ended
    expect(await start().ended).toContain('{"differences":0}')

    writeFileSync(join(folder(), 'migrations', '2.sql'), 'CREATE TABLE broken (')
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(await start().ended).toMatch(/"code":"baseline".*2\.sql/)
    }
    expect(kept()).toHaveLength(1)
    writeFileSync(join(folder(), 'migrations', '2.sql'), 'CREATE TABLE mended (id int)')
    expect(await start().ended).toContain('{"differences":0}')
    expect(kept()).toHaveLength(2)
    await until(() => readdirSync(cache()).every((name) => !/building|lock/.test(name)), 60_000)
  })

  it('starts with the rows, sequences and roles of the baseline, and another server has its own', async () => {
    await using environment = withCache()
    const options = { server: embedded(), migrate: 'migrations', cwd: folder(), project: 'kept' }
    expect(environment).toBeDefined()
    for (let run = 0; run < 2; run++) {
      await using first = await createHarness(options)
      await using second = await createHarness(options)
      for (const harness of [first, second]) {
        await using database = await harness.lease()
        const on = { engine: 'postgres' as const, url: database.url }
        await ask(on, `INSERT INTO items (name) VALUES ('of the test'); DELETE FROM items WHERE id < 50`)
        await database.reset()
        const [row] = await ask(
          on,
          `SELECT count(*)::int AS items, has_table_privilege('reader', 'items', 'SELECT') AS granted,
             nextval('items_id_seq')::int AS next FROM items`,
        )
        expect(row).toEqual({ items: 100, granted: true, next: 101 })
      }
    }
    expect(runs()).toBe(1)
  })

  it('runs a command once as long as its inputs are unchanged, and again after a change', async () => {
    await using environment = withCache()
    expect(environment).toBeDefined()
    const pg = createRequire(import.meta.url).resolve('pg')
    writeFileSync(
      join(folder(), 'migrate.mjs'),
      `import { appendFileSync, readFileSync } from 'node:fs'
       import pg from ${JSON.stringify(pg)}
       appendFileSync('runs', 'run\\n')
       const client = new pg.Client(process.env.DATABASE_URL)
       await client.connect()
       await client.query(readFileSync('models/items.txt', 'utf8'))
       await client.end()`,
    )
    mkdirSync(join(folder(), 'models'))
    const model = (columns: string) =>
      writeFileSync(join(folder(), 'models/items.txt'), `CREATE TABLE items (${columns})`)
    const columnsOf = async (inputs: string | string[]) => {
      const migrate = { command: `"${process.execPath}" migrate.mjs`, inputs }
      await using harness = await createHarness({
        server: embedded(),
        migrate,
        cwd: folder(),
        project: 'kept',
      })
      await using database = await harness.lease()
      const columns = `SELECT string_agg(column_name, ', ') AS names FROM information_schema.columns WHERE table_name = 'items'`
      return (await ask({ engine: 'postgres', url: database.url }, columns))[0]?.names
    }
    model('id int')
    expect([await columnsOf('models'), await columnsOf('models')]).toEqual(['id', 'id'])
    expect(runs()).toBe(1)
    model('id int, name text')
    expect(await columnsOf('models')).toBe('id, name')
    expect(runs()).toBe(2)
    await expect(columnsOf(['models', 'model/*'])).rejects.toThrow(
      /the inputs of migrate: «model\/\*» matches no file, no folder and no glob/,
    )
  })

  it('refuses a kept cluster that other users may write to', async () => {
    expect(await start().ended).toContain('{"differences":0}')
    const [name = ''] = kept()
    chmodSync(join(cache(), name), 0o777)
    expect(await start().ended).toMatch(/"code":"refused".*prepared-/)
    expect(runs()).toBe(1)
  })

  it('removes the clusters that were not used for longest', async () => {
    mkdirSync(cache())
    chmodSync(cache(), 0o755)
    for (let no = 0; no < 12; no++) {
      const path = join(cache(), `prepared-18.4-${String(no).padStart(16, '0')}`)
      mkdirSync(path)
      utimesSync(path, 1_000 + no, 1_000 + no)
    }
    expect(await start().ended).toContain('{"differences":0}')
    expect(kept()).toHaveLength(10)
    expect(kept().filter((name) => /-0{14}/.test(name))).toEqual(
      Array.from({ length: 9 }, (_, no) => `prepared-18.4-${String(no + 3).padStart(16, '0')}`),
    )
  })
})
