import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  applyBaseline,
  type BaselineInputs,
  type BaselineOptions,
  describeInputs,
} from '../../src/baseline/load.ts'
import type { Connection } from '../../src/engine/connection.ts'
import { wrap } from '../../src/engine/postgres/connection.ts'
import { postgres } from '../../src/engine/postgres/index.ts'
import { AfreshError } from '../../src/errors.ts'
import { layersOf, migratedLayer } from '../../src/harness/layers.ts'
import { gone } from '../support/eventually.ts'

const URL = 'postgres://somebody@localhost/somewhere'

let client: PGlite
let connection: Connection
let inProcess: Connection
let cwd: string

beforeAll(async () => {
  client = await PGlite.create()
  const wrapped = wrap(client)
  if (wrapped === undefined) throw new Error('PGlite is not known')
  inProcess = wrapped
  connection = { ...wrapped, url: URL }
}, 60_000)
afterAll(() => client.close())

beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'afresh-load-'))
  await client.exec(
    'DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE log (id serial, entry text)',
  )
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true })
    writeFileSync(join(cwd, name), text)
  }
}

/** Writes files that each insert their own name into `log`. */
function writeLogging(...names: string[]): void {
  write(Object.fromEntries(names.map((name) => [name, `INSERT INTO log (entry) VALUES ('${name}');`])))
}

async function log(): Promise<string[]> {
  const { rows } = await client.query<{ entry: string }>('SELECT entry FROM log ORDER BY id')
  return rows.map(({ entry }) => entry)
}

const apply = (options: Omit<BaselineOptions, 'cwd' | 'engine'>) =>
  applyBaseline(connection, { engine: postgres, cwd, ...options })

async function failure(options: Omit<BaselineOptions, 'cwd' | 'engine'>): Promise<AfreshError> {
  const error: unknown = await apply(options).then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof AfreshError) return error
  throw error
}

describe('files', () => {
  it('runs the .sql files of a folder in natural order, without down migrations', async () => {
    writeLogging('m/10_c.sql', 'm/2_b.sql', 'm/1_a.sql', 'm/1_a.down.sql', 'm/2_b-down.sql', 'm/U1__a.sql')
    write({ 'm/README.md': 'not SQL', 'm/meta/journal.json': '{}' })
    await apply({ migrate: 'm' })
    expect(await log()).toEqual(['m/1_a.sql', 'm/2_b.sql', 'm/10_c.sql'])
  })

  it('continues after the files that are applied, unless the list of files is another one by now', async () => {
    writeLogging('m/1_a.sql', 'm/2_b.sql', 'm/3_c.sql')
    await apply({ migrate: 'm', applied: ['m/1_a.sql', 'm/2_b.sql'] })
    expect(await log()).toEqual(['m/3_c.sql'])
    const { code, message } = await failure({ migrate: 'm', applied: ['m/1_a.sql', 'm/3_c.sql'] })
    expect([code, message]).toEqual([
      'baseline',
      expect.stringContaining('The list of migration files has changed'),
    ])
    expect(await log()).toEqual(['m/3_c.sql'])
  })

  it('supports the folders of Prisma and Diesel', async () => {
    writeLogging(
      'm/20240102_b/migration.sql',
      'm/20231231_a/migration.sql',
      'd/2_b/up.sql',
      'd/2_b/down.sql',
      'd/1_a/up.sql',
    )
    await apply({ migrate: 'm', fixtures: 'd' })
    expect(await log()).toEqual([
      'm/20231231_a/migration.sql',
      'm/20240102_b/migration.sql',
      'd/1_a/up.sql',
      'd/2_b/up.sql',
    ])
  })

  it("keeps Flyway's order: versioned migrations, then repeatable ones", async () => {
    writeLogging('m/R__views.sql', 'm/V1__a.sql', 'm/V1.1__b.sql', 'm/V10__d.sql', 'm/V2__c.sql')
    await apply({ migrate: 'm' })
    expect(await log()).toEqual([
      'm/V1__a.sql',
      'm/V1.1__b.sql',
      'm/V2__c.sql',
      'm/V10__d.sql',
      'm/R__views.sql',
    ])
  })

  it('runs the SQL of a folder before its rows, and rows of a list where it names them', async () => {
    write({
      'f/0_log.json': '{"log": [{"entry": "rows"}]}',
      'f/9.sql': "INSERT INTO log (entry) VALUES ('SQL of the folder')",
      'after.sql': "INSERT INTO log (entry) SELECT 'after ' || count(*) FROM log",
    })
    await applyBaseline(inProcess, { engine: postgres, cwd, fixtures: ['f', 'after.sql', 'f/0_log.json'] })
    expect(await log()).toEqual(['SQL of the folder', 'rows', 'after 2', 'rows'])
  })

  it('runs a list in its own order, with globs and exclusions', async () => {
    writeLogging('z.sql', 'm/2.sql', 'm/10.sql', 'm/skip.sql', 'only.down.sql')
    await apply({ fixtures: ['z.sql', 'm/*.sql', '!m/skip.sql', 'only.down.sql'] })
    expect(await log()).toEqual(['z.sql', 'm/2.sql', 'm/10.sql', 'only.down.sql'])
  })

  it.each(['-- migrate:down', '-- +goose Down', '-- +migrate Down', '-- Down Migration'])(
    'ignores everything after «%s»',
    async (marker) => {
      write({ 'm/1.sql': `-- up\nINSERT INTO log (entry) VALUES ('up');\n${marker}\nDROP TABLE log;\n` })
      await apply({ migrate: 'm' })
      expect(await log()).toEqual(['up'])
    },
  )

  it('reports file, line, statement, cause and next step of a failure', async () => {
    write({ 'm/1.sql': "SELECT 1;\n\nINSERT INTO nowhere VALUES ('x');\n" })
    const error = await failure({ migrate: 'm' })
    expect(error.code).toBe('baseline')
    expect(error.message).toContain('m/1.sql:3')
    expect(error.message).toContain('relation "nowhere" does not exist')
    expect(error.message).toContain("INSERT INTO nowhere VALUES ('x')")
    expect(error.next).toBeDefined()
  })

  it('reports the file of a client command that is not SQL', async () => {
    write({ 'm/1.sql': 'SELECT 1;\n\\connect other\n' })
    const error = await failure({ migrate: 'm' })
    expect(error.message).toContain('m/1.sql')
    expect(error.message).toContain('Line 2: \\connect')
  })

  it('reports a file that is not UTF-8 text', async () => {
    writeFileSync(join(cwd, 'a.sql'), Buffer.from('SELECT 1;', 'utf16le'))
    expect((await failure({ fixtures: 'a.sql' })).message).toMatch(/a\.sql .*not UTF-8/)
  })
})

describe('inputs that do not exist', () => {
  it.each([
    ['a path', 'missing.sql', /missing\.sql/],
    ['a glob', 'missing/*.sql', /matches no file, no folder and no glob/],
    ['a list', ['missing.sql'], /missing\.sql/],
    ['a list with a command in it', ['echo hello'], /echo hello/],
  ])('%s', async (_, migrate, message) => {
    const error = await failure({ migrate })
    expect(error.code).toBe('usage')
    expect(error.message).toMatch(message)
    expect(error.message).toContain(cwd)
  })

  it('a folder without SQL', async () => {
    write({ 'm/1_init.ts': 'export {}' })
    expect((await failure({ migrate: 'm' })).message).toContain('has no .sql files')
  })

  it.each(['log.json', 'log.csv', 'log.yaml'])('rows as a migration: %s', async (name) => {
    write({ [name]: '' })
    const error = await failure({ migrate: [name] })
    expect(error.code).toBe('usage')
    expect(error.next).toContain('fixtures')
  })

  it('a file of an unknown kind', async () => {
    write({ 'log.xlsx': '' })
    const error = await failure({ fixtures: ['log.xlsx'] })
    expect(error.code).toBe('usage')
    expect(error.next).toContain('.csv, .json, .yaml, .yml')
  })

  it('is reported before anything runs', async () => {
    writeLogging('a.sql')
    await failure({ migrate: 'a.sql', fixtures: 'missing.sql' })
    expect(await log()).toEqual([])
  })
})

describe('functions', () => {
  it('get the URL and the name of the database', async () => {
    const seen: unknown[] = []
    await apply({
      migrate: (context) => void seen.push(context),
      fixtures: async () => void seen.push('later'),
    })
    expect(seen).toEqual([{ url: URL, database: connection.database }, 'later'])
  })

  it('report their name and cause when they fail', async () => {
    const cause = new Error('no such column')
    const error = await failure({
      migrate: () => {
        throw cause
      },
    })
    expect(error.code).toBe('baseline')
    expect(error.message).toContain('The migrate function failed: no such column')
    expect(error.cause).toBe(cause)
  })

  it('time out', async () => {
    const error = await failure({ fixtures: () => new Promise<void>(() => {}), timeoutMs: 50 })
    expect(error.message).toContain('longer than 0.05 s')
  })

  it('need a URL', async () => {
    const open = { ...connection, url: undefined }
    await expect(applyBaseline(open, { engine: postgres, cwd, migrate: () => {} })).rejects.toMatchObject({
      code: 'usage',
    })
  })
})

describe.skipIf(process.platform === 'win32')('commands', () => {
  it('run in the given folder with DATABASE_URL', async () => {
    await apply({ migrate: { command: 'echo "$DATABASE_URL" > out' } })
    expect(readFileSync(join(cwd, 'out'), 'utf8')).toBe(`${URL}\n`)
    await apply({ migrate: 'echo again > out' })
    expect(readFileSync(join(cwd, 'out'), 'utf8')).toBe('again\n')
  })

  it('report exit code, command and the end of the output when they fail', async () => {
    const error = await failure({ migrate: { command: 'seq 1 100; echo "no such table" >&2; exit 3' } })
    expect(error.code).toBe('baseline')
    expect(error.message).toContain('exit code 3')
    expect(error.message).toContain('no such table')
    expect(error.message).toContain('    100')
    expect(error.message).not.toContain('    50\n')
    expect(error.next).toContain(cwd)
  })

  it('are killed with all their child processes after the timeout', async () => {
    const error = await failure({ migrate: { command: 'sleep 300 & echo $! > pid; wait' }, timeoutMs: 300 })
    expect(error.message).toContain('longer than 300 ms')
    await gone(Number(readFileSync(join(cwd, 'pid'), 'utf8')))
  })

  it('leave no child processes behind', async () => {
    await apply({ migrate: { command: 'sleep 300 & echo $! > pid' } })
    await gone(Number(readFileSync(join(cwd, 'pid'), 'utf8')))
  })

  it('are killed with the process that runs them', async () => {
    // The signal arrives when the process that runs the command has barely returned from spawning it.
    const command = 'sleep 300 & echo $! > pid; kill -INT $PPID; wait'
    const module = new globalThis.URL('../../src/baseline/command.ts', import.meta.url).pathname
    const program = `
      const jiti = require('jiti').createJiti(process.cwd() + '/x.js')
      jiti.import(${JSON.stringify(module)}).then(({ runCommand }) =>
        runCommand(${JSON.stringify(command)}, { cwd: ${JSON.stringify(cwd)}, env: {}, timeoutMs: 60000 }))`
    const runner = spawn(process.execPath, ['-e', program], { stdio: 'inherit' })
    const ended = new Promise((resolve) => runner.once('exit', (_, signal) => resolve(signal)))
    expect(await ended).toBe('SIGINT')
    await gone(Number(readFileSync(join(cwd, 'pid'), 'utf8')))
  }, 30_000)
})

describe('describeInputs', () => {
  const parts = async (...given: Parameters<typeof describeInputs>) => (await describeInputs(...given)).parts

  it('changes only with content, names and order of files', async () => {
    writeLogging('m/1.sql', 'm/2.sql', 'f.sql')
    const first = await parts('m', 'f.sql', cwd)
    expect(await parts('m/*.sql', ['f.sql'], cwd)).toEqual(first)
    expect(first).toHaveLength(3)
    write({ 'm/2.sql': 'SELECT 2;' })
    const second = await parts('m', 'f.sql', cwd)
    expect(second).not.toEqual(first)
    expect(second[0]).toBe(first[0])
    expect(await parts(['m/2.sql', 'm/1.sql'], 'f.sql', cwd)).not.toEqual(second)
  })

  it('changes with the content of files with rows', async () => {
    write({ 'f/log.csv': 'entry\na\n', 'f/log.json': '[]' })
    const first = await parts(undefined, 'f', cwd)
    expect(first).toHaveLength(2)
    write({ 'f/log.csv': 'entry\nb\n' })
    expect(await parts(undefined, 'f', cwd)).not.toEqual(first)
    expect((await describeInputs(undefined, 'f', cwd)).cacheable).toBe(true)
  })

  it('is not cacheable when functions or commands are among the inputs', async () => {
    writeLogging('f.sql')
    expect((await describeInputs('f.sql', undefined, cwd)).cacheable).toBe(true)
    expect((await describeInputs(undefined, undefined, cwd)).cacheable).toBe(true)
    expect((await describeInputs(() => {}, 'f.sql', cwd)).cacheable).toBe(false)
    expect((await describeInputs({ command: 'true' }, undefined, cwd)).cacheable).toBe(false)
  })

  it('a command depends on its inputs, of whatever kind and wherever they are', async () => {
    write({ 'models/user.ts': '1', 'models/deep/.order': '1', 'package-lock.json': '1' })
    const migrate = { command: 'true', inputs: ['models', 'package-*.json'] }
    const { parts: first, cacheable } = await describeInputs(migrate, undefined, cwd)
    expect(cacheable).toBe(true)
    let before = first
    for (const path of ['models/user.ts', 'models/deep/.order', 'package-lock.json', 'models/new']) {
      write({ [path]: '2' })
      const after = await parts(migrate, undefined, cwd)
      expect(after, path).not.toEqual(before)
      before = after
    }
    await expect(parts({ command: 'true', inputs: 'nowhere' }, undefined, cwd)).rejects.toThrow(
      /the inputs of migrate: «nowhere» matches no file/,
    )
  })

  it('begins with the same parts when migrations are added, or fixtures', async () => {
    write({ 'm/1.sql': 'SELECT 1', 'm/2.sql': 'SELECT 2', 'f.sql': 'SELECT 3' })
    const inputs = await describeInputs('m', () => {}, cwd, 'v1')
    const labels = (list: readonly BaselineInputs[]) =>
      list.map(({ migrations }) => migrations.map(({ label }) => label))
    expect(labels(layersOf(inputs))).toEqual([['m/1.sql', 'm/2.sql'], ['m/1.sql']])
    expect(migratedLayer(inputs)).toEqual(await describeInputs('m', undefined, cwd, 'v1'))
    expect(layersOf(inputs)[1]).toEqual(await describeInputs('m/1.sql', undefined, cwd, 'v1'))

    const migrated = await describeInputs('m', undefined, cwd)
    expect(labels(layersOf(migrated))).toEqual([['m/1.sql']])
    expect(migratedLayer(migrated)).toBeUndefined()
    expect(layersOf(await describeInputs(() => {}, 'f.sql', cwd))).toEqual([])
  })

  it('is cacheable with a version that the user supplies', async () => {
    const first = await describeInputs(() => {}, undefined, cwd, 'v1')
    expect(first.cacheable).toBe(true)
    expect((await describeInputs(() => {}, undefined, cwd, 'v2')).parts).not.toEqual(first.parts)
  })
})
