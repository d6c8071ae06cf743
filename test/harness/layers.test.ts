/** A new template begins with the longest unchanged beginning of its migrations, if a template has that. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest'
import { dropUnusedTemplates } from '../../src/database/reaper.ts'
import { open } from '../../src/engine/registry.ts'
import { createHarness, existing, type HarnessOptions } from '../../src/index.ts'
import { describeProgress, type ProgressEvent } from '../../src/util/progress.ts'
import { ask } from '../support/ask.ts'
import { describeOn, type ServerAtHand, type ServerId } from '../support/servers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(temporaryFolder(), 'afresh-layers-'))
  project = `layers${Math.random().toString(36).slice(2, 8)}`
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

let project: string

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, sql] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), sql)
  }
}

interface BuildOptions extends Omit<HarnessOptions, 'fixtures'> {
  readonly sql?: string
  readonly fixtures?: HarnessOptions['fixtures'] | undefined
}

/** Builds the template, and returns what was run for it, with the rows that `sql` finds in a copy. */
async function build(
  server: ServerAtHand,
  { sql = 'SELECT 1 AS one', fixtures, ...options }: BuildOptions = {},
) {
  const events: ProgressEvent[] = []
  await using harness = await createHarness({
    server: existing(server.url),
    project,
    cwd: folder,
    migrate: 'migrations',
    progress: (event) => events.push(event),
    ...(fixtures !== undefined && { fixtures }),
    ...options,
  })
  await using database = await harness.lease()
  expect(await database.verify()).toEqual([])
  return {
    template: harness.handle.template,
    isNew: harness.isTemplateNew,
    ran: ranIn(events),
    rows: await ask({ ...server, url: database.url }, sql),
  }
}

const ranIn = (events: readonly ProgressEvent[]) =>
  events
    .filter(({ phase }) => phase === 'continue' || phase === 'migrate' || phase === 'fixtures')
    .map(describeProgress)

const failure = (work: Promise<unknown>) =>
  work.then(
    () => 'no failure',
    (error: unknown) => String(error),
  )

async function templatesOn(server: ServerAtHand, name: string): Promise<string[]> {
  const { engine, connection } = await open(server.url)
  try {
    const entries = (await engine.databases?.list(connection)) ?? []
    return entries.map((entry) => entry.name).filter((one) => one.startsWith(`afresh_${name}_t_`))
  } finally {
    await connection.close()
  }
}

async function dropTemplates(server: ServerAtHand): Promise<void> {
  const { engine, connection } = await open(server.url)
  try {
    if (engine.databases === undefined) return
    const names = (await engine.databases.list(connection)).map(({ name }) => name)
    const own = new Set(names.filter((name) => name.startsWith('afresh_layers')))
    expect(await dropUnusedTemplates(engine.databases, connection, own)).toEqual([])
  } finally {
    await connection.close()
  }
}

const POSTGRES: readonly ServerId[] = ['embedded:18', 'postgres:15']
const OTHERS: readonly ServerId[] = ['mysql:9.7', 'mariadb:11.8']

for (const id of POSTGRES) {
  describeOn(id, (server) => {
    const role = `layers_role_${id.replace(/\W/g, '_')}`
    // A role is the server's: this migration fails if it runs twice.
    const once = `CREATE ROLE ${role}; CREATE TABLE a (id serial PRIMARY KEY); INSERT INTO a DEFAULT VALUES;`
    afterEach(async () => {
      await dropTemplates(server)
      await ask(server, `DROP ROLE IF EXISTS ${role}`)
    })

    it('runs new migrations alone, and a changed one from its predecessor', async () => {
      write({ 'migrations/1.sql': once })
      expect((await build(server)).ran).toEqual(['migrating 1/1: migrations/1.sql'])
      write({ 'migrations/2.sql': 'CREATE TABLE b (id int); GRANT SELECT ON b TO PUBLIC' })
      expect((await build(server)).ran).toEqual([
        'continuing after migration 1/2: migrations/1.sql',
        'migrating 2/2: migrations/2.sql',
      ])
      write({ 'migrations/3.sql': 'ALTER TABLE a ADD COLUMN name text', 'migrations/4.sql': 'DROP TABLE b' })
      const grown = await build(server, { sql: `SELECT name, nextval('a_id_seq')::int AS next FROM a` })
      expect(grown.rows).toEqual([{ name: null, next: 2 }])
      expect(grown.ran).toEqual([
        'continuing after migration 2/4: migrations/2.sql',
        'migrating 3/4: migrations/3.sql',
        'migrating 4/4: migrations/4.sql',
      ])
      expect(await build(server)).toMatchObject({ isNew: false, ran: [] })

      write({ 'migrations/2.sql': 'CREATE TABLE b (id bigint)' })
      expect((await build(server)).ran).toEqual([
        'continuing after migration 1/4: migrations/1.sql',
        ...[2, 3, 4].map((no) => `migrating ${no}/4: migrations/${no}.sql`),
      ])
    })

    it('runs no migration again when fixtures change, are added, or are a function', async () => {
      write({ 'migrations/1.sql': once, 'fixtures/a.csv': 'id\n5\n' })
      const ids = { sql: `SELECT string_agg(id::text, ' ' ORDER BY id) AS ids FROM a` }
      const first = await build(server, { ...ids, fixtures: 'fixtures' })
      expect(first.rows).toEqual([{ ids: '1 5' }])
      expect(first.ran.filter((line) => line.startsWith('migrating'))).toHaveLength(1)
      for (let no = 6; no < 12; no++) {
        write({ 'fixtures/a.csv': `id\n${no}\n` })
        const { rows, ran } = await build(server, { ...ids, fixtures: 'fixtures' })
        expect([rows, ran]).toEqual([
          [{ ids: `1 ${no}` }],
          ['continuing after migration 1/1: migrations/1.sql', 'loading fixtures 1/1: fixtures/a.csv'],
        ])
      }
      // The template of the migrations is the oldest, and in use.
      expect(await templatesOn(server, project)).toHaveLength(5)
      const fixtures = async ({ url }: { url: string }) => {
        await ask({ ...server, url }, 'INSERT INTO a VALUES (20)')
      }
      const { rows, ran } = await build(server, { ...ids, fixtures })
      expect([rows, ran]).toEqual([
        [{ ids: '1 20' }],
        ['continuing after migration 1/1: migrations/1.sql', 'loading fixtures'],
      ])
      expect((await build(server)).isNew).toBe(false)
    })

    it('keeps its predecessor when a new migration fails, and fails as from the beginning', async () => {
      write({ 'migrations/1.sql': once, 'fixtures/a.csv': 'id\n5\n' })
      await build(server, { fixtures: 'fixtures' })
      write({ 'migrations/2.sql': 'SELECT 1;\nINSERT INTO a VALUES (1)' })
      const message = await failure(build(server, { fixtures: 'fixtures' }))
      expect(message).toMatch(/migrations\/2\.sql:2: .*duplicate key/)
      expect(await failure(build(server, { fixtures: 'fixtures' }))).toBe(message)
      await ask(server, `DROP ROLE ${role}`)
      expect(await failure(build(server, { project: `${project}b`, fixtures: 'fixtures' }))).toBe(message)
      write({ 'migrations/2.sql': 'INSERT INTO a VALUES (2)' })
      expect((await build(server, { fixtures: 'fixtures' })).ran).toEqual([
        'continuing after migration 1/2: migrations/1.sql',
        'migrating 2/2: migrations/2.sql',
        'continuing after migration 2/2: migrations/2.sql',
        'loading fixtures 1/1: fixtures/a.csv',
      ])
    })

    it('starts a migration in the same state, whether the earlier ones ran just before or long ago', async () => {
      const set = `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''7MB''', current_database()); END $$`
      write({
        'migrations/1.sql': `CREATE SCHEMA app; CREATE TABLE a (id serial); INSERT INTO a DEFAULT VALUES;
          CREATE TEMP TABLE leftover (id int); PREPARE leftover AS SELECT 1; SET search_path = app; SET work_mem = '3MB';
          ${set}; BEGIN; CREATE TABLE lost (id int)`,
      })
      await build(server)
      write({
        'migrations/2.sql': `CREATE TABLE seen AS SELECT current_setting('search_path') AS path,
          current_setting('work_mem') AS memory, to_regclass('pg_temp.leftover') IS NULL AS is_clean,
          (SELECT count(*)::int FROM pg_prepared_statements WHERE name = 'leftover') AS prepared`,
        'fixtures/1.sql': `UPDATE seen SET path = path || ', ' || current_setting('work_mem')`,
      })
      const sql = `SELECT *, current_setting('work_mem') AS now FROM seen`
      for (const fixtures of [undefined, 'fixtures']) {
        const continued = await build(server, { sql, fixtures })
        const whole = await build(server, { sql, fixtures, project: `${project}b` })
        expect(continued.rows).toEqual(whole.rows)
        expect(continued.rows).toMatchObject([{ is_clean: true, prepared: 0, now: '7MB' }])
        expect(continued.rows[0]?.memory).not.toBe('7MB')
      }
    })

    it('runs each migration once for many at the same time, whatever their fixtures', async () => {
      write({ 'migrations/1.sql': once })
      await build(server)
      write({ 'migrations/2.sql': 'SELECT pg_sleep(0.5); CREATE TABLE b (id int)' })
      for (const no of [1, 2]) write({ [`fixtures${no}/a.csv`]: `id\n${no + 5}\n` })
      const built = await Promise.all(
        [undefined, 'fixtures1', 'fixtures1', 'fixtures2', 'fixtures2'].map((fixtures) =>
          build(server, { fixtures }),
        ),
      )
      const ran = built.flatMap((one) => one.ran)
      expect(ran.filter((line) => line.startsWith('migrating'))).toEqual(['migrating 2/2: migrations/2.sql'])
      expect(ran.filter((line) => line.startsWith('loading'))).toHaveLength(2)
    })

    it('is built from the beginning if the template that it begins with is not complete', async () => {
      write({ 'migrations/1.sql': 'CREATE TABLE a (id int)' })
      const { template } = await build(server)
      await ask(server, `ALTER DATABASE ${template} ALLOW_CONNECTIONS true`)
      write({ 'migrations/2.sql': 'CREATE TABLE b (id int)' })
      expect((await build(server)).ran).toEqual([
        'migrating 1/2: migrations/1.sql',
        'migrating 2/2: migrations/2.sql',
      ])
    })
  })
}

for (const id of OTHERS) {
  describeOn(id, (server) => {
    afterAll(() => dropTemplates(server))

    it('runs all migrations: in a copy, programs of earlier ones would run with the rights of others', async () => {
      write({ 'migrations/1.sql': 'CREATE TABLE a (id int)', 'fixtures/a.csv': 'id\n5\n' })
      await build(server, { fixtures: 'fixtures' })
      write({ 'migrations/2.sql': 'CREATE TABLE b (id int)' })
      expect((await build(server, { fixtures: 'fixtures' })).ran).toEqual([
        'migrating 1/2: migrations/1.sql',
        'migrating 2/2: migrations/2.sql',
        'loading fixtures 1/1: fixtures/a.csv',
      ])
      expect(await templatesOn(server, project)).toHaveLength(2)
    })
  })
}
